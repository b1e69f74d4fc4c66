#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "model.h"

namespace sluice {

/** Who waits for a load. Called on the loading thread, never under the registry's lock. */
class LoadListener {
public:
    virtual ~LoadListener() = default;
    virtual void onProgress(float fraction) = 0;
    virtual void onLoaded(std::shared_ptr<Model> model) = 0;
    virtual void onFailed(const NativeError &error) = 0;
};

/**
 * The process's loaded models. The same file with the same options is loaded once, however many environments
 * ask, at whatever time; it is freed with its last reference. Loading runs on a thread of its own.
 */
class ModelRegistry {
public:
    static ModelRegistry &instance();

    /** Exactly one of onLoaded and onFailed follows, unless cancel() takes the listener out first. */
    void load(const std::string &path, const LoadOptions &options, std::shared_ptr<LoadListener> listener);

    /**
     * Takes a listener out; true if nothing has been or will be delivered to it any more. A load that nobody
     * waits for is aborted.
     */
    bool cancel(const std::shared_ptr<LoadListener> &listener);

    /** Waits for loads that nobody waits for. For environments on their way out. */
    void joinAbandoned();

    struct Counters {
        size_t models;
        size_t references;
    };
    Counters counters();

private:
    struct Task;

    void run(Task &task);
    void finish(Task &task, std::shared_ptr<Model> model, const NativeError *error);
    void reap(bool wait);

    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<Model>> models_;
    std::list<std::unique_ptr<Task>> tasks_;
};

} // namespace sluice
