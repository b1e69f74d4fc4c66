#include "model_registry.h"

#include <algorithm>
#include <cstdlib>

namespace sluice {

namespace {

/** Two spellings of a file's path are one model; a path that can't be resolved fails later, in the load. */
std::string canonical(const std::string &path) {
    const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), &std::free);
    return resolved ? std::string(resolved.get()) : path;
}

std::string keyOf(const std::string &path, const LoadOptions &options) {
    std::string key = canonical(path);
    for (const int32_t value :
         {options.gpuLayers, options.mainGpu, int32_t{options.mmap}, int32_t{options.mlock},
          int32_t{options.vocabOnly}, int32_t{options.packWeights}})
        key += '\n' + std::to_string(value);
    for (const float share : options.tensorSplit)
        key += '\n' + std::to_string(share);
    return key;
}

} // namespace

/** One load in progress. Its fields but `path` and `options` belong to the registry's lock. */
struct ModelRegistry::Task {
    std::string key;
    std::string path;
    LoadOptions options;
    std::vector<std::shared_ptr<LoadListener>> listeners;
    bool isFinished = false;
    std::thread thread;
};

ModelRegistry &ModelRegistry::instance() {
    // Never destroyed: threads of other environments may use it while the process exits.
    static auto *registry = new ModelRegistry;
    return *registry;
}

void ModelRegistry::load(const std::string &path, const LoadOptions &options,
                         std::shared_ptr<LoadListener> listener) {
    reap(false);
    const std::string key = keyOf(path, options);
    std::shared_ptr<Model> ready;
    {
        const std::lock_guard lock(mutex_);
        const auto found = models_.find(key);
        if (found != models_.end()) ready = found->second.lock();
        if (!ready) {
            // An abandoned task is already aborting: it can't be joined again.
            const auto running = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto &task) {
                return task->key == key && !task->isFinished && !task->listeners.empty();
            });
            if (running != tasks_.end()) {
                (*running)->listeners.push_back(std::move(listener));
                return;
            }
            tasks_.push_back(std::make_unique<Task>());
            Task &task = *tasks_.back();
            task.key = key;
            task.path = path;
            task.options = options;
            task.listeners.push_back(std::move(listener));
            task.thread = std::thread([this, &task] { run(task); });
            return;
        }
    }
    listener->onLoaded(std::move(ready));
}

void ModelRegistry::run(Task &task) {
    const auto onProgress = [this, &task](float fraction) {
        std::vector<std::shared_ptr<LoadListener>> listeners;
        {
            const std::lock_guard lock(mutex_);
            listeners = task.listeners;
        }
        for (const auto &listener : listeners)
            listener->onProgress(fraction);
        return !listeners.empty();
    };
    try {
        finish(task, Model::load(task.path, task.options, onProgress), nullptr);
    } catch (const NativeError &error) {
        finish(task, nullptr, &error);
    } catch (const std::exception &error) {
        const NativeError wrapped(ErrorCode::modelLoadFailed, error.what());
        finish(task, nullptr, &wrapped);
    }
}

/** The last listener gets this thread's reference: when it closes the model, the model is freed. */
void ModelRegistry::finish(Task &task, std::shared_ptr<Model> model, const NativeError *error) {
    std::vector<std::shared_ptr<LoadListener>> listeners;
    {
        const std::lock_guard lock(mutex_);
        if (model && !task.listeners.empty()) models_[task.key] = model;
        listeners.swap(task.listeners);
        task.isFinished = true;
    }
    for (const auto &listener : listeners) {
        if (error != nullptr) {
            listener->onFailed(*error);
        } else {
            listener->onLoaded(listener == listeners.back() ? std::move(model) : model);
        }
    }
}

bool ModelRegistry::cancel(const std::shared_ptr<LoadListener> &listener) {
    const std::lock_guard lock(mutex_);
    for (const auto &task : tasks_) {
        const auto found = std::find(task->listeners.begin(), task->listeners.end(), listener);
        if (found == task->listeners.end()) continue;
        task->listeners.erase(found);
        return true;
    }
    return false;
}

void ModelRegistry::joinAbandoned() {
    reap(true);
}

/** Joins finished tasks, and with `wait` also those that nobody listens to. */
void ModelRegistry::reap(bool wait) {
    std::list<std::unique_ptr<Task>> done;
    {
        const std::lock_guard lock(mutex_);
        for (auto it = tasks_.begin(); it != tasks_.end();) {
            const auto next = std::next(it);
            if ((*it)->isFinished || (wait && (*it)->listeners.empty())) done.splice(done.end(), tasks_, it);
            it = next;
        }
        for (auto it = models_.begin(); it != models_.end();)
            it = it->second.expired() ? models_.erase(it) : std::next(it);
    }
    for (const auto &task : done)
        task->thread.join();
}

ModelRegistry::Counters ModelRegistry::counters() {
    const std::lock_guard lock(mutex_);
    Counters counters{0, 0};
    for (const auto &[key, model] : models_) {
        const auto references = static_cast<size_t>(model.use_count());
        counters.models += references > 0 ? 1 : 0;
        counters.references += references;
    }
    return counters;
}

} // namespace sluice
