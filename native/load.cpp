#include "load.h"

#include <functional>
#include <mutex>
#include <optional>

#include "js.h"
#include "model_registry.h"
#include "model_wrap.h"

namespace sluice {

namespace {

/** Progress is passed on in steps of this size. */
constexpr float progressStep = 0.01f;

class Load;
void deliver(Napi::Env env, Napi::Function onProgress, Load *load, void *);
using Events = Napi::TypedThreadSafeFunction<Load, void, deliver>;

/**
 * Carries a load's progress and outcome from the registry's threads to the environment that asked. They are
 * kept here, under `mutex_`, and the thread-safe function only wakes the environment: what it had queued
 * would leak where the environment ends first. The promise is settled on the environment's own thread.
 */
class Load : public LoadListener, public std::enable_shared_from_this<Load> {
public:
    explicit Load(Napi::Env env) : env_(env), deferred_(Napi::Promise::Deferred::New(env)) {}

    Napi::Promise promise() const { return deferred_.Promise(); }

    void start(const std::string &path, const LoadOptions &options, const Napi::Function &onProgress) {
        events_ = Events::New(env_, onProgress, "sluice.load", 0, 1, this,
                              [self = shared_from_this()](Napi::Env, void *, Load *) {});
        // Added after the thread-safe function was made, so it runs before that is torn down: hooks run last
        // in, first out.
        hook_ = env_.AddCleanupHook(std::function<void()>([self = shared_from_this()] { self->leave(); }));
        try {
            ModelRegistry::instance().load(path, options, shared_from_this());
        } catch (const std::exception &error) { // no thread, no memory
            onFailed(NativeError(ErrorCode::modelLoadFailed, error.what()));
        }
    }

    void cancel() {
        if (ModelRegistry::instance().cancel(shared_from_this()))
            onFailed(NativeError(ErrorCode::loadCancelled, "Loading was cancelled."));
    }

    void onProgress(float fraction) override {
        if (fraction < sent_ + progressStep && fraction < 1) return;
        sent_ = fraction;
        const std::lock_guard lock(mutex_);
        if (isReleased_) return;
        progress_ = fraction;
        events_.NonBlockingCall();
    }

    void onLoaded(std::shared_ptr<Model> model) override { end({std::move(model), std::nullopt}); }

    void onFailed(const NativeError &error) override { end({nullptr, error}); }

    /** On the environment's thread, after one or more signals. */
    void receive(const Napi::Function &onProgress) {
        std::optional<float> progress;
        std::optional<Outcome> outcome;
        {
            const std::lock_guard lock(mutex_);
            progress.swap(progress_);
            outcome.swap(outcome_);
        }
        // First, since onProgress may throw.
        if (outcome) settle(*outcome);
        if (progress) onProgress.Call({Napi::Number::New(env_, *progress)});
    }

private:
    struct Outcome {
        std::shared_ptr<Model> model;
        std::optional<NativeError> error;
    };

    /** As one: an environment that has heard the outcome may end at once, and then there is nothing left to
     * release. */
    void end(Outcome outcome) {
        const std::lock_guard lock(mutex_);
        if (isReleased_) return;
        outcome_ = std::move(outcome);
        events_.NonBlockingCall();
        events_.Release();
        isReleased_ = true;
    }

    void release() {
        const std::lock_guard lock(mutex_);
        if (!isReleased_) events_.Release();
        isReleased_ = true;
    }

    void settle(const Outcome &outcome) {
        hook_->Remove(env_);
        if (outcome.error) {
            deferred_.Reject(toJsError(env_, *outcome.error).Value());
        } else {
            deferred_.Resolve(ModelWrap::create(env_, outcome.model));
        }
    }

    /** The environment ends: nothing may reach it any more, and a load only it waited for must not outlive
     * it. */
    void leave() {
        ModelRegistry::instance().cancel(shared_from_this());
        release();
        outcome_.reset();
        ModelRegistry::instance().joinAbandoned();
    }

    using Hook = decltype(std::declval<Napi::Env>().AddCleanupHook(std::declval<std::function<void()>>()));

    Napi::Env env_;
    Napi::Promise::Deferred deferred_;
    std::optional<Hook> hook_;
    std::mutex mutex_;
    Events events_;
    bool isReleased_ = false;
    std::optional<float> progress_;
    std::optional<Outcome> outcome_;
    float sent_ = -1; // on the loading thread only
};

/** Without an environment, what was queued is only being discarded. */
void deliver(Napi::Env env, Napi::Function onProgress, Load *load, void *) {
    if (env != nullptr) load->receive(onProgress);
}

LoadOptions readOptions(const Napi::Object &object) {
    LoadOptions options;
    options.gpuLayers = static_cast<int32_t>(toInteger(object.Get("gpuLayers"), "gpuLayers", -1, 1 << 16));
    options.mainGpu = static_cast<int32_t>(toInteger(object.Get("mainGpu"), "mainGpu", 0, 255));
    options.mmap = toBool(object.Get("mmap"), "mmap");
    options.mlock = toBool(object.Get("mlock"), "mlock");
    options.vocabOnly = toBool(object.Get("vocabOnly"), "vocabOnly");
    options.packWeights = toBool(object.Get("packWeights"), "packWeights");
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
    const auto load = std::make_shared<Load>(env);
    Napi::Object handle = Napi::Object::New(env);
    handle.Set("done", load->promise());
    handle.Set("cancel", Napi::Function::New(
                             env, [load](const Napi::CallbackInfo &) { load->cancel(); }, "cancel"));
    load->start(path, loadOptions, onProgress.As<Napi::Function>());
    return handle;
}

} // namespace sluice
