import { HttpProxyAgent, HttpsProxyAgent } from 'hpagent';
import { type AgentFor, type Fetch, nodeFetch } from './node-fetch.js';
import { isLoopback } from './reference.js';

/**
 * Through the proxy of HTTPS_PROXY or HTTP_PROXY (or their lower-case forms) where one is set, except to NO_PROXY's hosts
 * and this machine's own.
 */
export function fetchFromEnvironment(env: NodeJS.ProcessEnv): Fetch {
  return nodeFetch(agents(env));
}

function agents(env: NodeJS.ProcessEnv): AgentFor {
  const httpProxy = env.http_proxy || env.HTTP_PROXY;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY || httpProxy;
  const httpAgent = httpProxy ? new HttpProxyAgent({ proxy: httpProxy }) : undefined;
  const httpsAgent = httpsProxy ? new HttpsProxyAgent({ proxy: httpsProxy }) : undefined;
  const excepted = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/).filter((entry) => entry !== '');
  return (url) => {
    if (isLoopback(url) || excepted.some((entry) => isExcepted(url, entry))) return undefined;
    return url.protocol === 'https:' ? httpsAgent : httpAgent;
  };
}

/** `*`, or a domain, which stands for those below it too, with an optional port: curl's rules. */
function isExcepted(url: URL, entry: string): boolean {
  if (entry === '*') return true;
  const [, domain = '', port] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  if (port !== undefined && port !== (url.port || defaultPorts[url.protocol])) return false;
  return domain !== '' && (url.hostname === domain || url.hostname.endsWith(`.${domain}`));
}

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };
