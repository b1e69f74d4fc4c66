#include "load.h"

#include <functional>
#include <mutex>
#include <optional>

#include "js.h"
#include "model_registry.h"
#include "model_wrap.h"

namespace sluice {

namespace {

/** Progress is passed on in steps of this size: at most 100 calls a load. */
constexpr float progressStep = 0.01f;

/**
 * Carries one load's events from the registry's thread to the environment that asked. The thread-safe
 * function is used and released under `mutex_`; the promise is settled on the environment's own thread.
 */
class Load : public LoadListener, public std::enable_shared_from_this<Load> {
public:
    Load(Napi::Env env, const Napi::Function &onProgress)
        : env_(env), deferred_(Napi::Promise::Deferred::New(env)),
          events_(Napi::ThreadSafeFunction::New(env, onProgress, "sluice.load", 0, 1)) {}

    Napi::Promise promise() const { return deferred_.Promise(); }

    void start(const std::string &path, const LoadOptions &options) {
        // Added after the thread-safe function was made, so it runs before that is torn down: hooks run last
        // in, first out.
        hook_ = env_.AddCleanupHook(std::function<void()>([self = shared_from_this()] { self->leave(); }));
        ModelRegistry::instance().load(path, options, shared_from_this());
    }

    void cancel() {
        if (!ModelRegistry::instance().cancel(shared_from_this())) return;
        release();
        settle([this] {
            deferred_.Reject(toJsError(env_, {ErrorCode::loadCancelled, "Loading was cancelled."}).Value());
        });
    }

    void onProgress(float fraction) override {
        if (fraction < reported_ + progressStep && fraction < 1) return;
        reported_ = fraction;
        post([fraction](Load &load, Napi::Function callback) {
            if (!load.isSettled_) callback.Call({Napi::Number::New(load.env_, fraction)});
        });
    }

    void onLoaded(std::shared_ptr<Model> model) override {
        post([model = std::move(model)](Load &load, Napi::Function) {
            load.settle([&] { load.deferred_.Resolve(ModelWrap::create(load.env_, model)); });
        });
        release();
    }

    void onFailed(const NativeError &error) override {
        post([error](Load &load, Napi::Function) {
            load.settle([&] { load.deferred_.Reject(toJsError(load.env_, error).Value()); });
        });
        release();
    }

private:
    template <typename Event> void post(Event event) {
        const std::lock_guard lock(mutex_);
        if (isReleased_) return;
        events_.NonBlockingCall([self = shared_from_this(), event = std::move(event)](
                                    Napi::Env, Napi::Function callback) { event(*self, callback); });
    }

    void release() {
        const std::lock_guard lock(mutex_);
        if (!isReleased_) events_.Release();
        isReleased_ = true;
    }

    template <typename Settle> void settle(Settle settle) {
        if (isSettled_) return;
        isSettled_ = true;
        settle();
        if (hook_) hook_->Remove(env_);
    }

    /** The environment ends: nothing may reach it any more, and a load only it waited for must not outlive
     * it. */
    void leave() {
        isSettled_ = true;
        ModelRegistry::instance().cancel(shared_from_this());
        release();
        ModelRegistry::instance().joinAbandoned();
    }

    using Hook = decltype(std::declval<Napi::Env>().AddCleanupHook(std::declval<std::function<void()>>()));

    Napi::Env env_;
    Napi::Promise::Deferred deferred_;
    std::mutex mutex_;
    Napi::ThreadSafeFunction events_;
    bool isReleased_ = false;
    bool isSettled_ = false; // on the environment's thread only
    float reported_ = -1;    // on the loading thread only
    std::optional<Hook> hook_;
};

LoadOptions readOptions(const Napi::Object &object) {
    LoadOptions options;
    options.gpuLayers = static_cast<int32_t>(toInteger(object.Get("gpuLayers"), "gpuLayers", -1, 1 << 16));
    options.mainGpu = static_cast<int32_t>(toInteger(object.Get("mainGpu"), "mainGpu", 0, 255));
    options.mmap = toBool(object.Get("mmap"), "mmap");
    options.mlock = toBool(object.Get("mlock"), "mlock");
    options.vocabOnly = toBool(object.Get("vocabOnly"), "vocabOnly");
    const Napi::Value split = object.Get("tensorSplit");
    if (!split.IsArray()) throw ArgumentError("tensorSplit must be an array");
    const auto shares = split.As<Napi::Array>();
    if (shares.Length() > llama_max_devices())
        throw RangeError("tensorSplit names more devices than there can be");
    for (uint32_t i = 0; i < shares.Length(); i++) {
        const double share = toNumber(shares.Get(i), "tensorSplit");
        if (!(share >= 0 && share <= 1e6)) throw RangeError("tensorSplit must hold non-negative numbers");
        options.tensorSplit.push_back(static_cast<float>(share));
    }
    return options;
}

} // namespace

Napi::Object startLoad(Napi::Env env, const std::string &path, const Napi::Object &options,
                       const Napi::Value &onProgress) {
    if (path.empty() || path.find('\0') != std::string::npos)
        throw ArgumentError("path must be a file's path");
    if (!onProgress.IsFunction()) throw ArgumentError("onProgress must be a function");
    const LoadOptions loadOptions = readOptions(options);
    const auto load = std::make_shared<Load>(env, onProgress.As<Napi::Function>());
    Napi::Object handle = Napi::Object::New(env);
    handle.Set("done", load->promise());
    handle.Set("cancel", Napi::Function::New(
                             env, [load](const Napi::CallbackInfo &) { load->cancel(); }, "cancel"));
    load->start(path, loadOptions);
    return handle;
}

} // namespace sluice
