#pragma once

#include <string>
#include <vector>

#include "model.h"

namespace sluice {

/** RenderedChat of src/native/types.ts. */
struct RenderedChat {
    struct Trigger {
        const char *type;
        std::string value;
        llama_token token;
    };
    std::string prompt;
    std::string grammar;
    bool grammarLazy = false;
    std::vector<Trigger> grammarTriggers;
    std::vector<std::string> preservedTokens;
    std::vector<std::string> additionalStops;
    std::string syntax;
};

/** Throws TEMPLATE_FAILED, or GRAMMAR_INVALID for a schema over its bounds. */
RenderedChat renderChat(const Model &model, const std::string &requestJson);

/** The message as JSON. `syntax` is what renderChat returned, and not ''. */
std::string parseChat(const std::string &text, bool partial, const std::string &syntax);

/** Throws GRAMMAR_INVALID. */
std::string jsonSchemaToGrammar(const std::string &schemaJson);

} // namespace sluice
