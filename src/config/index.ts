export { ConfigError } from './config-error.js';
export { isLoopback, loadConfig, refuseOpenServer, resolveConfig } from './load.js';
export { type Config, configSchema } from './schema.js';
export { type Assignment, fromText, type Setting, settingByPath, settings } from './settings.js';
