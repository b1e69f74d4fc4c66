/** Tokens that their issuer marks. `prefix` starts the pattern literally, so that a search for it finds every place to look at. */
export interface TokenRule {
  issuer: string;
  prefix: string;
  /** What follows the prefix; repetitions bounded. */
  rest: RegExp;
  category: 'api_key' | 'cloud_token' | 'jwt';
}

const api = (issuer: string, prefix: string, rest: RegExp): TokenRule => ({
  issuer,
  prefix,
  rest,
  category: 'api_key',
});
const cloud = (issuer: string, prefix: string, rest: RegExp): TokenRule => ({
  issuer,
  prefix,
  rest,
  category: 'cloud_token',
});

export const MAX_TOKEN = 2048; // a JWT's length in practice
export const MAX_UNSIGNED = 600; // of all others, with their prefix
export const MAX_JWT_HEADER = 500; // as its rule has it

export const tokenRules: readonly TokenRule[] = [
  api('openai', 'sk-', /(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,200}/),
  api('sluice', 'sk-sluice-', /[A-Za-z0-9_-]{16,200}/),
  api('anthropic', 'sk-ant-', /[A-Za-z0-9_-]{20,200}/),
  api('openrouter', 'sk-or-', /[A-Za-z0-9_-]{20,200}/),
  api('groq', 'gsk_', /[A-Za-z0-9]{40,60}/),
  api('hugging face', 'hf_', /[A-Za-z0-9]{30,40}/),
  api('replicate', 'r8_', /[A-Za-z0-9]{37,40}/),
  api('github', 'ghp_', /[A-Za-z0-9]{36,255}/),
  api('github', 'gho_', /[A-Za-z0-9]{36,255}/),
  api('github', 'ghu_', /[A-Za-z0-9]{36,255}/),
  api('github', 'ghs_', /[A-Za-z0-9]{36,255}/),
  api('github', 'ghr_', /[A-Za-z0-9]{36,255}/),
  api('github', 'github_pat_', /[A-Za-z0-9_]{50,255}/),
  api('gitlab', 'glpat-', /[A-Za-z0-9_-]{20,64}/),
  api('slack', 'xoxb-', /[A-Za-z0-9-]{20,255}/),
  api('slack', 'xoxp-', /[A-Za-z0-9-]{20,255}/),
  api('slack', 'xoxa-', /[A-Za-z0-9-]{20,255}/),
  api('slack', 'xapp-', /[A-Za-z0-9-]{20,255}/),
  api('slack webhook', 'https://hooks.slack.com/services/', /[A-Za-z0-9/]{30,80}/),
  api('discord webhook', 'https://discord.com/api/webhooks/', /\d{17,20}\/[A-Za-z0-9_-]{60,80}/),
  api('stripe', 'sk_live_', /[A-Za-z0-9]{16,247}/),
  api('stripe', 'sk_test_', /[A-Za-z0-9]{16,247}/),
  api('stripe', 'rk_live_', /[A-Za-z0-9]{16,247}/),
  api('stripe webhook', 'whsec_', /[A-Za-z0-9+/=]{24,64}/),
  api('sendgrid', 'SG.', /[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}/),
  api('mailgun', 'key-', /[0-9a-f]{32}/),
  api('twilio', 'SK', /[0-9a-f]{32}/),
  api('npm', 'npm_', /[A-Za-z0-9]{36}/),
  api('pypi', 'pypi-', /[A-Za-z0-9_-]{50,255}/),
  api('shopify', 'shpat_', /[0-9a-fA-F]{32}/),
  api('square', 'sq0csp-', /[A-Za-z0-9_-]{43}/),
  api('telegram bot', 'bot', /\d{8,10}:[A-Za-z0-9_-]{35}/),
  cloud('aws', 'AKIA', /[A-Z0-9]{16}/),
  cloud('aws', 'ASIA', /[A-Z0-9]{16}/),
  cloud('google', 'AIza', /[A-Za-z0-9_-]{35}/),
  cloud('google oauth', 'ya29.', /[A-Za-z0-9_-]{30,500}/),
  cloud('google oauth', 'GOCSPX-', /[A-Za-z0-9_-]{28}/),
  cloud('azure storage', 'AccountKey=', /[A-Za-z0-9+/]{86}==/),
  cloud('azure sas', 'sig=', /[A-Za-z0-9%]{40,80}(?:%3D|=)/),
  cloud('digitalocean', 'dop_v1_', /[0-9a-f]{64}/),
  cloud('databricks', 'dapi', /[0-9a-f]{32}/),
  cloud('hashicorp vault', 'hvs.', /[A-Za-z0-9_-]{24,200}/),
  cloud('grafana', 'glsa_', /[A-Za-z0-9]{32}_[0-9a-fA-F]{8}/),
  cloud('doppler', 'dp.pt.', /[A-Za-z0-9]{40,44}/),
  {
    issuer: 'jwt',
    prefix: 'eyJ',
    rest: /[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,1000}\.[A-Za-z0-9_-]{10,500}/,
    category: 'jwt',
  },
];
