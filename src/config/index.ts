export { ConfigError } from './config-error.js';
export type { EvaluationConfig } from './evaluation-schema.js';
export {
  type CustomGuard,
  type GuardConfig,
  type GuardMode,
  type GuardProfile,
  type GuardStage,
  type GuardUse,
  guardModes,
  guardStages,
  type TextOrigin,
  textOrigins,
} from './guard-schema.js';
export { faultAt, isLoopback, loadConfig, refuseOpenServer, resolveConfig } from './load.js';
export {
  type Capability,
  capabilities,
  type ModelSpec,
  modelSpec,
  type RouteSpec,
  routeSpec,
  type UpstreamSpec,
} from './routing-schema.js';
export { type Config, configSchema, NO_MODEL } from './schema.js';
export { type Assignment, fromText, type Setting, settingByPath, settings } from './settings.js';
