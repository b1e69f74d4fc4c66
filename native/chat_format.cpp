#include "chat_format.h"

#include <map>
#include <mutex>

#include "chat-peg-parser.h" // libllama-common's, as chat.h
#include "chat.h"
#include "errors.h"
#include "grammar_prefix.h"
#include "json-schema-to-grammar.h"
#include "json.h"
#include "limits.h"

namespace sluice {

namespace {

/** Bytes of tool definitions in one request: each becomes grammar rules. */
constexpr size_t toolsBytesMax = 256 << 10;

void checkSchemaText(const std::string &json) {
    if (json.size() > schemaBytesMax)
        throw NativeError(ErrorCode::grammarInvalid, "The JSON schema is longer than 64 kB.");
    if (jsonDepth(json) > schemaDepthMax)
        throw NativeError(ErrorCode::grammarInvalid, "The JSON schema is nested deeper than 32 levels.");
}

common_json parseObject(const std::string &text, const char *what) {
    common_json value = common_json::parse(text);
    if (!value.is_object()) throw ArgumentError(std::string(what) + " is no JSON object");
    return value;
}

/** The schema of OpenAI's response_format; '' where any text will do. An empty schema means any object. */
std::string responseSchema(const common_json &request) {
    if (!request.contains("response_format")) return {};
    const common_json &format = request.at("response_format");
    if (!format.is_object()) return {};
    const std::string type = format.value("type", "");
    common_json schema;
    if (type == "json_object") {
        schema = format.value("schema", common_json::object());
    } else if (type == "json_schema") {
        schema = format.value("json_schema", common_json::object()).value("schema", common_json::object());
    } else {
        return {};
    }
    if (schema.is_object() && schema.empty()) schema["type"] = "object";
    std::string text = schema.dump();
    checkSchemaText(text);
    return text;
}

/** OpenAI's tool_choice: a word, or one function by name, which leaves only that tool and requires it. */
void readTools(const common_json &request, common_chat_templates_inputs &inputs) {
    if (!request.contains("tools") || !request.at("tools").is_array()) return;
    const std::string text = request.at("tools").dump();
    if (text.size() > toolsBytesMax || jsonDepth(text) > schemaDepthMax + 3)
        throw NativeError(ErrorCode::grammarInvalid,
                          "The tools are longer than 256 kB or nested deeper than 32 levels.");
    inputs.tools = common_chat_tools_parse_oaicompat(request.at("tools"));
    if (!request.contains("tool_choice") || request.at("tool_choice").is_null()) return;
    const common_json &choice = request.at("tool_choice");
    if (choice.is_string()) {
        inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(choice.get<std::string>());
        return;
    }
    const std::string name = choice.value("function", common_json::object()).value("name", "");
    std::vector<common_chat_tool> chosen;
    for (const auto &tool : inputs.tools) {
        if (tool.name == name) chosen.push_back(tool);
    }
    if (chosen.empty())
        throw NativeError(ErrorCode::templateFailed,
                          "tool_choice names a function that is not among the tools.");
    inputs.tools = chosen;
    inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
}

void readTemplateArguments(const common_json &request, common_chat_templates_inputs &inputs) {
    if (request.contains("chat_template_kwargs") && request.at("chat_template_kwargs").is_object()) {
        for (const auto &entry : request.at("chat_template_kwargs").items())
            inputs.chat_template_kwargs[entry.key()] = entry.value().dump();
    }
    const auto thinking = inputs.chat_template_kwargs.find("enable_thinking");
    if (thinking != inputs.chat_template_kwargs.end()) inputs.enable_thinking = thinking->second != "false";
}

common_chat_templates_inputs readRequest(const std::string &requestJson) {
    if (requestJson.size() > chatBytesMax) throw RangeError("the chat request is longer than 16 MiB");
    if (jsonDepth(requestJson) > chatDepthMax)
        throw RangeError("the chat request is nested deeper than 64 levels");
    const common_json request = parseObject(requestJson, "the chat request");
    if (!request.contains("messages")) throw ArgumentError("messages is missing");

    common_chat_templates_inputs inputs;
    inputs.messages = common_chat_msgs_parse_oaicompat(request.at("messages"));
    inputs.json_schema = responseSchema(request);
    inputs.add_generation_prompt = request.value("add_generation_prompt", true);
    inputs.parallel_tool_calls = request.value("parallel_tool_calls", false);
    inputs.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
    readTools(request, inputs);
    readTemplateArguments(request, inputs);
    return inputs;
}

const char *triggerType(common_grammar_trigger_type type) {
    switch (type) {
    case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
        return "token";
    case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
        return "word";
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
        return "pattern";
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
        return "pattern_full";
    }
    return "word";
}

/** A step of llama.cpp's answer parser that takes all text as content, or what stands before it in the
 * prompt. */
bool takesContentOnly(const common_json &step, const std::string &generationPrompt) {
    const std::string type = step.value("type", "");
    if (type == "epsilon" || type == "end" || type == "sequence") return true;
    if (type == "literal") return step.value("literal", "") == generationPrompt;
    if (type == "until") return step.at("delimiters").empty();
    return type == "tag" && step.value("tag", "") == common_chat_peg_builder::CONTENT;
}

/** Whether the parser could find neither tool calls nor reasoning, nor take anything away from the text. */
bool isPlainContent(const common_chat_params &params) {
    if (params.parser.empty()) return true;
    const common_json parser = common_json::parse(params.parser);
    for (const auto &step : parser.at("parsers")) {
        if (!takesContentOnly(step, params.generation_prompt)) return false;
    }
    return true;
}

/** '' where all text is content: a stream then needs no parse for each of its deltas. */
std::string syntaxOf(const common_chat_params &params, bool hasTools) {
    if (isPlainContent(params)) return {};
    common_json syntax = common_json::object();
    syntax["format"] = static_cast<int>(params.format);
    syntax["generationPrompt"] = params.generation_prompt;
    syntax["parser"] = params.parser;
    syntax["tools"] = hasTools;
    return syntax.dump();
}

} // namespace

RenderedChat renderChat(const Model &model, const std::string &requestJson) {
    const common_chat_templates &templates = model.chatTemplates();
    try {
        const common_chat_templates_inputs inputs = readRequest(requestJson);
        const common_chat_params params = common_chat_templates_apply(&templates, inputs);
        RenderedChat chat;
        chat.prompt = params.prompt;
        chat.grammar = params.grammar.empty() || params.grammar_lazy
                           ? params.grammar
                           : withGrammarPrefix(params.grammar, params.generation_prompt);
        chat.grammarLazy = params.grammar_lazy;
        for (const auto &trigger : params.grammar_triggers)
            chat.grammarTriggers.push_back({triggerType(trigger.type), trigger.value, trigger.token});
        chat.preservedTokens = params.preserved_tokens;
        chat.additionalStops = params.additional_stops;
        chat.syntax =
            syntaxOf(params, !inputs.tools.empty() && inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_NONE);
        return chat;
    } catch (const NativeError &) {
        throw;
    } catch (const ArgumentError &) {
        throw;
    } catch (const RangeError &) {
        throw;
    } catch (const std::exception &error) {
        throw NativeError(ErrorCode::templateFailed, error.what());
    }
}

std::string parseChat(const std::string &text, bool partial, const std::string &syntax) {
    if (text.size() > chatBytesMax) throw RangeError("the text is longer than 16 MiB");
    try {
        const common_json stored = parseObject(syntax, "the syntax");
        common_chat_parser_params params;
        params.format = static_cast<common_chat_format>(stored.at("format").get<int>());
        params.generation_prompt = stored.at("generationPrompt").get<std::string>();
        params.parse_tool_calls = stored.at("tools").get<bool>();
        params.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
        const auto parser = stored.at("parser").get<std::string>();
        if (!parser.empty()) params.parser.load(parser);
        return common_chat_parse(text, partial, params).to_json_oaicompat().dump_safe();
    } catch (const std::exception &error) {
        throw NativeError(ErrorCode::templateFailed, error.what());
    }
}

std::string jsonSchemaToGrammar(const std::string &schemaJson) {
    checkSchemaText(schemaJson);
    try {
        return json_schema_to_grammar(common_json::parse(schemaJson));
    } catch (const std::exception &error) {
        throw NativeError(ErrorCode::grammarInvalid, error.what());
    }
}

} // namespace sluice
