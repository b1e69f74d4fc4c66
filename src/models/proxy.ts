import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';

export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * Node's own fetch, or where HTTPS_PROXY or HTTP_PROXY (or their lower-case forms) is set, one that goes through the
 * proxy except to NO_PROXY's hosts. Node 20's fetch doesn't look at these variables.
 */
export function fetchFromEnvironment(env: NodeJS.ProcessEnv): Fetch {
  const httpProxy = env.http_proxy || env.HTTP_PROXY;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY || httpProxy;
  if (!httpProxy && !httpsProxy) return fetch;
  const dispatcher = new EnvHttpProxyAgent({
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
    // This machine's own servers are never behind the proxy.
    noProxy: ['localhost', '127.0.0.1', '::1', env.no_proxy || env.NO_PROXY].filter(Boolean).join(','),
  });
  // undici's types and Node's describe the same objects, under different names.
  return (url, init) =>
    undiciFetch(url, { ...init, dispatcher } as Parameters<
      typeof undiciFetch
    >[1]) as unknown as Promise<Response>;
}
