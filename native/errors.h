#pragma once

#include <stdexcept>
#include <string>

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
