/** What an attack is about. */
export type InjectionCategory = 'prompt_injection' | 'jailbreak' | 'prompt_extraction';

/** How much a phrase says alone: 0.95 is hardly ever said otherwise, 0.6 needs company. */
export interface InjectionLabel {
  category: InjectionCategory;
  rule: string;
  weight: number;
}

interface Group extends InjectionLabel {
  phrases: readonly string[];
}

const OVERRIDE =
  "ignor*|disregard*|forget*|overrid*|bypass*|discard*|neglect*|skip|drop|abandon*|erase*|dismiss|void|nullify|cancel|supersede*|put_aside|set_aside|throw_away|throw_out|pay_no_attention|do_not_follow|don't_follow|stop_following|no_longer_follow|not_obey|stop_obeying|wipe|scrap|overwrite|delete|reset";
const ORDERS =
  'instruction*|direction*|directive*|rule*|prompt*|guideline*|command*|order*|constraint*|restriction*|polic*|context|programming|training|guidance|content_filter*|safeguard*|limitation*|protocol*|filter*|message*';
const SHOW =
  'reveal*|show|print*|display*|repeat*|output*|tell|give|share|leak*|expose*|disclose*|dump*|write_out|copy|return|list|recite*|echo|spell_out|provide|state|summarize|summarise|translate|encode|paste|quote|describe|send|read_back|type_out|say';
const HIDDEN =
  'system_prompt*|system_message*|initial_prompt*|initial_instruction*|hidden_prompt*|hidden_instruction*|hidden_rule*|secret_instruction*|your_instruction*|your_prompt*|original_prompt*|original_instruction*|developer_message*|developer_instruction*|system_instruction*|pre-prompt*|preprompt|prompt_above|text_above|words_above|instructions_above|everything_above|confidential_instruction*|internal_instruction*|starting_prompt|first_prompt|your_rules|your_guidelines|your_configuration|custom_instruction*|the_instructions_you';

export const injectionGroups: readonly Group[] = [
  {
    category: 'prompt_injection',
    rule: 'override',
    weight: 0.9,
    phrases: [
      `~2 ${OVERRIDE} previous|prior|above|earlier|preceding|foregoing|past|former ${ORDERS}`,
      `~3 ${OVERRIDE} initial|original|system|developer|safety|existing|hidden|built-in ${ORDERS}`,
      `~1 ${OVERRIDE} all|any|every|your|these|those ${ORDERS}`,
      `~2 ${OVERRIDE} all|everything|anything|whatever above|before|previous|said_before|told_before|you_were_told|you've_been_told|you_have_been_told|you_know|i_said`,
      `~2 ${OVERRIDE} everything|all|what|whatever you told|instructed|given|learned|taught`,
      `~2 forget|ignore your|all|any rules|training|programming|restrictions|instructions|guidelines`,
      "~2 do_not|don't|never|stop|no_longer follow*|obey*|listen*|adher*|comply your|the|any|previous|original|those rules|instructions|guidelines|restrictions|programming",
      '~2 instruction*|rule*|prompt*|guideline*|restriction* above|before|previous|previously are|is|no null|void|obsolete|cancelled|canceled|invalid|revoked|lifted|suspended|longer|outdated|superseded|overridden',
      '~3 new|updated|real|actual|revised|following instruction*|directive*|rule* replace*|supersede*|override*|take_precedence|instead',
      '~2 your new|real|true|only|actual instruction*|task|objective|goal|mission|directive is|are',
    ],
  },
  {
    category: 'prompt_injection',
    rule: 'override (other languages)',
    weight: 0.9,
    phrases: [
      // Spanish, Portuguese, French, German, Dutch, Russian, Chinese, Japanese, Turkish, Polish
      '~3 ignora*|olvida*|descarta*|omite|omita|desobedece|salta todas|las|tus|cualquier|lo instruccion*|reglas|ordenes|indicaciones|directrices|restricciones|anterior',
      '~3 ignore*|esqueca*|desconsidere*|descarte* todas|as|suas|tudo|quaisquer instruco*|regras|ordens|diretrizes|restricoes|anterior*',
      '~3 ignore*|oublie*|neglige*|contourne*|annule*|fais_abstraction|faites_abstraction toutes|les|tes|vos|tout consigne*|instruction*|regles|directives|ordres|precede*|restrictions',
      '~3 ignorier*|vergiss|vergesst|vergessen|missachte*|umgehe|verwirf|uberschreibe alle|deine|die|alles|samtliche|jegliche|ihre anweisung*|instruktion*|regeln|vorgaben|befehle|richtlinien|bisherige*|vorherige*',
      '~3 negeer|vergeet|omzeil alle|je|de|alles|vorige|eerdere instructie*|regels|opdracht*|aanwijzing*|richtlijnen|hiervoor',
      '~3 игнорир*|забудь*|проигнорир*|отмени*|не_следуй|отбрось все|всё|предыдущ*|прежн*|свои|эти|любые|твои инструкц*|указан*|правил*|команд*|ограничен*|что',
      '~8 忽略|无视|忘记|忘掉|忽視|無視|不要理会|不用管 之前|以前|上面|以上|先前|所有|全部|前面|你的 指令|指示|规则|規則|提示|要求|设定|命令|限制|内容',
      '~8 以前|これまで|前|上記|すべて|全て の|に 指示|命令|ルール|規則|指令|プロンプト 無視|忘れ|破棄',
      '~3 onceki|yukaridaki|tum|butun talimat*|kural*|komut*|yonerge* yok_say|unut|gormezden|dikkate_alma|goz_ardi',
      '~3 zignoruj|zapomnij|pomin|odrzuc|ignoruj wszystkie|poprzednie|wczesniejsze|swoje|o|wszystko instrukcj*|polecen*|zasad*|wytyczn*|regul*|powyzej',
    ],
  },
  {
    category: 'prompt_extraction',
    rule: 'extraction',
    weight: 0.85,
    phrases: [
      `~4 ${SHOW} your|the|me|us|back ${HIDDEN}`,
      `~4 what is|are|was|were|does|do|did your ${HIDDEN}`,
      '~4 what|which instruction*|rules|prompt|guidelines were|are|did|have you given|told|received|following|get|got|been|follow|operate',
      '~3 repeat|print|output|copy|write|echo|return|recite everything|words|text|all|contents|content|lines|instructions above|before|preceding|so_far|verbatim|beginning',
      "~3 starting|begin*|start with you_are|you're_a|system_prompt|system",
      '~5 what was|is|were written|said|stated|at|the beginning|start|top conversation|prompt|chat|message|context',
      '~3 mostra*|muestra*|revela*|dime|repite|imprime|ensena* tu|el|tus|las|me prompt|instrucciones_iniciales|instrucciones_ocultas|mensaje_de_sistema|indicaciones_del_sistema|prompt_del_sistema|instrucciones_secretas',
      '~3 montre*|revele*|affiche*|donne*|repete*|recopie ton|ta|tes|le|vos|votre prompt|invite_systeme|instructions_systeme|consignes_initiales|instructions_initiales|message_systeme|instructions_cachees',
      '~3 zeig*|gib|nenne|wiederhole|verrate|drucke|offenbare deine|deinen|den|die|mir|ihre system-prompt|systemprompt|system_prompt|systemanweisung*|anfangsanweisung*|ursprunglichen_anweisung*|geheimen_anweisung*|versteckten_anweisung*|prompt',
      '~4 mostre|revele|diga|repita|imprima|exiba seu|o|suas|as|me prompt|instrucoes_iniciais|instrucoes_ocultas|mensagem_do_sistema|prompt_do_sistema|instrucoes_do_sistema|instrucoes_secretas',
      '~4 покажи|выведи|раскрой|повтори|напиши|скажи свой|свои|твой|системн*|исходн*|мне|скрыт* промпт|системные_инструкции|системный_промпт|системное_сообщение|инструкц*',
      '~6 显示|告诉|输出|打印|泄露|重复|透露|说出|公开 系统|初始|隐藏|你的|最初|内部 提示|指令|提示词|prompt|设定',
      '~6 システム|初期|隠し|内部 プロンプト|指示|メッセージ|設定 教え|表示|出力|見せ|開示|繰り返',
    ],
  },
  {
    category: 'jailbreak',
    rule: 'unbound persona',
    weight: 0.85,
    phrases: [
      '~2 you are|will|shall|must now|act|become|pretend|be|going_to|to dan|stan|dude|aim|evil*|unrestricted|unfiltered|uncensored|jailbroken|amoral|unbound|mongo|developer_mode|opposite|devmode',
      '~3 do anything now',
      '~4 act|behave|respond|answer|reply|pretend|roleplay|role-play|simulate|play|speak|talk|imagine without|no|free_of|freed_from|lacks|unbound any|ethic*|moral*|restriction*|filter*|limit*|rule*|censorship|guideline*|safety|policies',
      '~3 ai|assistant|model|chatbot|bot|machine|system|character|persona|version|entity with|without|has|have|that|who|free no|any|zero|from restriction*|limit*|filter*|rule*|ethic*|moral*|censor*|guideline*|boundar*|constraint*|safeguard*|polic*',
      '~2 enable*|enter|activate|switch_to|turn_on|engage|simulate|unlock developer|debug|god|admin|root|jailbreak|unrestricted|sudo|dan|maintenance|unfiltered|uncensored|evil|unsafe|test mode|access|override|privileges|output',
      '~3 developer|dev|god|dan|jailbreak|sudo|admin|debug|root mode enabled|activated|on|engaged|active|unlocked|output',
      '~2 no|without|zero|free_from ethical|moral|legal|safety|content or|and|guidelines|considerations|restrictions|limitations|limits|filters|constraints|boundaries|concerns',
      '~3 freed|escaped|broken|break|free|liberated from|free|out typical|confines|openai|usual|shackles|chains|your|restrictions|cage|constraints',
      "~4 never|not|don't|cannot|can't|must_not|won't refuse|decline|reject|say_no|say_you_can't|say_you_cannot|apologize|apologise|warn any|request*|question*|me|to|or|to_answer|about",
      '~3 stay|remain|break in|out_of|of character matter|no|always|even|if',
      '~3 jailbreak*|jail_break* yourself|mode|prompt|the|your|activated',
      '~2 two|both responses|answers|ways|outputs normal|classic|regular|standard|jailbreak|dan|one',
      '~3 sin|sem|sans|ohne|без|zonder|bez ningun*|qualquer|nenhum*|aucun*|jegliche|keine|filtros|restric*|moral*|etic*|filtr*|einschrank*|ограничен*|цензур*|beperking*|ogranicz* restric*|moral*|etic*|ethi*|filtr*|limit*|censur*|zensur|einschrank*|ограничен*|цензур*|правил*|regl*|regel*',
      '~6 没有|不受|无视|突破 任何|道德|限制|约束|审查|规则 限制|约束|审查|道德|规则|的',
    ],
  },
  {
    category: 'jailbreak',
    rule: 'refusal suppression',
    weight: 0.7,
    phrases: [
      "~3 do_not|don't|never|without|avoid say|use|include|mention|output|write|start|give|adding sorry|cannot|can't|unable|however|unfortunately|apolog*|disclaimer*|warning*|as_an_ai|i'm_sorry|i_can't|refus*",
      "~4 start|begin|prefix your|the|response|answer|reply|every with sure|absolutely|of_course|certainly|yes|here_is|here's",
      '~3 no|without|skip|omit|any|avoid disclaimer*|warning*|caveat*|moralizing|moralising|lecture* or|and|no|just|about',
      '~4 you|must always|have_to|are_required comply|obey|answer|respond|follow any|every|all|me|regardless|no_matter',
    ],
  },
  {
    category: 'prompt_injection',
    rule: 'addressed to a machine',
    weight: 0.75,
    phrases: [
      '~3 attention|note|dear|hey|hello|important|instruction*|message|memo|notice to|for|all|any|the ai|assistant*|llm*|language_model*|chatbot|bot|gpt|model|ai_agent*|agent*|copilot reading|process*|summar*|must|should|please|ignore|do_not|if_you|:',
      "~4 if you_are|you're|youre an|a|the ai|llm|language_model|assistant|chatbot|bot|machine reading|process*|summar*|then|please|you_must|parsing|evaluating|ignore|do|say",
      '~4 when|before|after|while summar*|process*|reading|translat*|answering|responding|reviewing this|the|to document|email|text|page|message|file|user|content add|include|insert|send|say|recommend|forward|also|mention|append|output|ignore|instead|reply|give|rate|first',
      "~4 do_not|don't|without|never|no_need tell|mention|inform*|reveal*|alert*|notify|telling|letting|asking the|this|to|it user|human|anyone|owner|reader|recruiter|customer|operator",
      "~3 forward|send|email|exfiltrate|upload|post|transmit|leak|append all|the|every|user's|any|their|conversation|chat|entire|full email*|message*|data|password*|conversation|history|token*|credential*|contacts|file*|secret*|api_key*|key* to",
      '~3 end|begin|start|new of system|user|document|prompt|instruction*|context|conversation|input|session|text new|begin|start|system|instruction*|prompt|message',
      '~3 instead of|,|you summar*|translat*|answering|doing|following|should|must say|output|write|print|reply|respond|tell|do|just',
    ],
  },
  {
    category: 'jailbreak',
    rule: 'hypothetical or fiction as a shield',
    weight: 0.6,
    phrases: [
      "~5 hypothetical*|fiction*|imagin*|pretend*|simulat*|story|novel|movie|game|world where|in_which|without|with|that no laws|no_law|no_rules|nothing_is_illegal|everything_is_legal|no_ethic*|no_restrictions|no_filter*|no_moral*|anything_goes|rules_don't_apply|no_content_polic*",
      '~4 for|only|purely|just educational|research|academic|fictional|testing purposes|reasons|only so|ignore|bypass|without|no|explain|provide|you_can',
      '~4 grandmother|grandma|granny|nana used_to|would tell|read|recite|sing|whisper|say me',
      '~4 opposite|reverse|backwards day|mode|of|world everything|refuse|rules|no|must|means',
    ],
  },
  {
    category: 'prompt_injection',
    rule: 'claimed authority',
    weight: 0.7,
    phrases: [
      "~4 i_am|i'm|this_is|speaking_as|as|we_are your|the|a|an|from|openai|anthropic|google|meta|microsoft developer|creator|administrator|admin|engineer|owner|openai|anthropic|google|meta|ceo|security_team|red_team|safety_team|programmer|operator|root need|require|order|authoriz*|authoris*|grant*|command|override|instruct|permission|disable|test*|allow*|hereby|you_must|so|and",
      '~4 admin*|sudo|root|security|system|developer|maintenance override|access|command|mode|privilege*|clearance code|accepted|granted|authoriz*|authoris*|enabled|activate*|level|confirmed|:',
      '~3 safety|content|moderation|security|all|ethical|your filter*|check*|restriction*|guardrail*|guideline*|polic*|protocol*|limitation* are|is|have|has|been|now off|disabled|lifted|removed|suspended|deactivated|not|turned|bypassed|waived',
      '~3 disable*|turn_off|deactivate*|remove*|lift|bypass*|circumvent*|switch_off|suspend your|all|any|the|content|safety|ethical filter*|safety|guardrail*|restriction*|safeguard*|moderation|protection*|limitation*|check*|alignment|censor*',
    ],
  },
];
