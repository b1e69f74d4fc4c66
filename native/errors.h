#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sluice {

/** NativeErrorCode of src/native/types.ts. */
enum class ErrorCode {
    modelNotFound,
    modelInvalid,
    modelLoadFailed,
    loadCancelled,
    contextFailed,
    forwardFailed,
    forwardAborted,
    grammarInvalid,
    templateFailed,
    closed
};

inline const char *errorCodeName(ErrorCode code) {
    switch (code) {
    case ErrorCode::modelNotFound:
        return "MODEL_NOT_FOUND";
    case ErrorCode::modelInvalid:
        return "MODEL_INVALID";
    case ErrorCode::modelLoadFailed:
        return "MODEL_LOAD_FAILED";
    case ErrorCode::loadCancelled:
        return "LOAD_CANCELLED";
    case ErrorCode::contextFailed:
        return "CONTEXT_FAILED";
    case ErrorCode::forwardFailed:
        return "FORWARD_FAILED";
    case ErrorCode::forwardAborted:
        return "FORWARD_ABORTED";
    case ErrorCode::grammarInvalid:
        return "GRAMMAR_INVALID";
    case ErrorCode::templateFailed:
        return "TEMPLATE_FAILED";
    case ErrorCode::closed:
        return "CLOSED";
    }
    return "";
}

/** A failure of the model, the file or the state: becomes an Error with `code`. */
class NativeError : public std::runtime_error {
public:
    NativeError(ErrorCode code, const std::string &message) : std::runtime_error(message), code(code) {}
    ErrorCode code;
};

/** A context of a model: whatever keeps it from being made becomes CONTEXT_FAILED. */
template <typename T, typename... Arguments> std::shared_ptr<T> makeContext(Arguments &&...arguments) {
    try {
        return std::make_shared<T>(std::forward<Arguments>(arguments)...);
    } catch (const NativeError &) {
        throw;
    } catch (const std::exception &error) { // no memory, or an assert of libllama
        throw NativeError(ErrorCode::contextFailed, error.what());
    }
}

/** An argument of the wrong type: becomes a TypeError. */
class ArgumentError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/** An argument out of its range: becomes a RangeError. */
class RangeError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace sluice
