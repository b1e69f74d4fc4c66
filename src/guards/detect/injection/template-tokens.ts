/**
 * Marks with which chat templates set roles apart. In a user's text they have no business; "system:" alone is no such mark, since
 * people write it in any text.
 */
export const templateTokens =
  /<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|end|eot_id|eom_id|begin_of_text|start_header_id|end_header_id|python_tag|endofprompt|fim_(?:prefix|middle|suffix)|channel|message|START_OF_TURN_TOKEN|END_OF_TURN_TOKEN|SYSTEM_TOKEN|USER_TOKEN|CHATBOT_TOKEN)\|>|<(?:start_of_turn|end_of_turn)>|<\/?(?:bos|eos|s)>|\[\/?INST\]|<<\/?SYS>>|\[\/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<｜(?:begin▁of▁sentence|end▁of▁sentence|User|Assistant)｜>/g;
