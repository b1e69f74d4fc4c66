import type { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { ApiContext } from './context.js';
import type { Exchange } from './exchange.js';
import * as admin from './handlers/admin.js';
import { purgeCache, showCache } from './handlers/admin-cache.js';
import { listModelStatus, listQueues, loadModel, unloadModel, updateModel } from './handlers/admin-models.js';
import { deleteRoute, listRouteStatus, putRoute } from './handlers/admin-routes.js';
import { chatCompletions, completions } from './handlers/completions.js';
import { embeddings } from './handlers/embeddings.js';
import { evaluationStatus, feedback } from './handlers/evaluation.js';
import { healthz, modelReadyz, readyz } from './handlers/health.js';
import { metrics } from './handlers/metrics.js';
import { getModel, listModels } from './handlers/models.js';
import { moderations } from './handlers/moderations.js';
import { openapi } from './handlers/openapi.js';
import { playground } from './handlers/playground.js';
import { createPrefix, deletePrefix, listPrefixes } from './handlers/prefixes.js';
import { cancelRequest, getRequest } from './handlers/requests.js';
import { detokenize, tokenize } from './handlers/tokenize.js';
import * as adminSchemas from './schemas/admin.js';
import * as adminCache from './schemas/admin-cache.js';
import * as adminRouting from './schemas/admin-routing.js';
import { chatChunk, chatRequest, chatResponse } from './schemas/chat.js';
import { completionRequest, completionResponse } from './schemas/completions.js';
import { embeddingRequest, embeddingResponse } from './schemas/embeddings.js';
import * as evaluationSchemas from './schemas/evaluation.js';
import { moderationRequest, moderationResponse } from './schemas/moderations.js';
import * as schemas from './schemas/others.js';
import { backgroundRequest, removedRequest } from './schemas/requests.js';

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Who may call it; by default whoever has a key, or everyone where there are none. */
  access?: 'open' | 'admin';
  path: string; // ends in "/:name" where the rest of the path is a parameter
  summary: string;
  request?: z.ZodType;
  /** Absent: text. */
  response?: z.ZodType;
  /** What is answered with 202, where the request may ask for that. */
  accepted?: z.ZodType;
  /** Each event, where the request may ask for a stream. */
  event?: z.ZodType;
  errors: readonly ErrorCode[];
  /** Whatever it throws is sent as an error. `parameter` is the rest of the path, decoded. */
  handle(exchange: Exchange, api: ApiContext, parameter: string): void | Promise<void>;
}

const ADMIN_BODY_ERRORS = [
  'invalid_json',
  'invalid_value',
  'unsupported_media_type',
  'body_too_large',
  'store_unavailable',
] as const satisfies ErrorCode[];

const BODY_ERRORS = [
  'invalid_json',
  'invalid_value',
  'unsupported_media_type',
  'body_too_large',
  'model_not_found',
] as const satisfies ErrorCode[];

const GENERATION_ERRORS = [
  ...BODY_ERRORS,
  'unsupported_parameter',
  'context_length_exceeded',
  'request_too_large',
  'invalid_grammar',
  'content_policy_violation',
  'max_cost_exceeded',
  'model_access_denied',
  'insufficient_quota',
  'rate_limit_exceeded',
  'queue_full',
  'upstream_overloaded',
  'upstream_failed',
  'upstream_misconfigured',
  'upstream_timeout',
  'model_not_ready',
  'no_healthy_models',
  'inference_timeout',
  'shutting_down',
  'store_unavailable',
  'guard_failed',
  'deadline_exceeded',
  'not_cached',
  'engine_failed',
] as const satisfies ErrorCode[];

const EMBEDDING_ERRORS = [
  ...BODY_ERRORS,
  'unsupported_parameter',
  'context_length_exceeded',
  'request_too_large',
  'model_access_denied',
  'insufficient_quota',
  'rate_limit_exceeded',
  'queue_full',
  'model_not_ready',
  'shutting_down',
  'store_unavailable',
  'engine_failed',
] as const satisfies ErrorCode[];

const LOAD_ERRORS = [
  'duplicate_id',
  'model_not_ready',
  'model_access_denied',
  'model_download_failed',
  'model_checksum_mismatch',
  'insufficient_storage',
] as const satisfies ErrorCode[];

/** Every HTTP route; the server and the OpenAPI document are both made from this. */
export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/completions',
    summary: 'Continue a prompt',
    request: completionRequest,
    response: completionResponse,
    accepted: backgroundRequest,
    event: completionResponse,
    errors: GENERATION_ERRORS,
    handle: completions,
  },
  {
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'Answer a conversation',
    request: chatRequest,
    response: chatResponse,
    accepted: backgroundRequest,
    event: chatChunk,
    errors: GENERATION_ERRORS,
    handle: chatCompletions,
  },
  {
    method: 'GET',
    path: '/v1/requests/:id',
    summary: 'How far a background request is, and its result',
    response: backgroundRequest,
    errors: ['not_found'],
    handle: getRequest,
  },
  {
    method: 'DELETE',
    path: '/v1/requests/:id',
    summary: 'Cancel a background request, or forget its result',
    response: removedRequest,
    errors: ['not_found'],
    handle: cancelRequest,
  },
  {
    method: 'POST',
    path: '/v1/embeddings',
    summary: 'Vectors of texts',
    request: embeddingRequest,
    response: embeddingResponse,
    errors: EMBEDDING_ERRORS,
    handle: embeddings,
  },
  {
    method: 'POST',
    path: '/v1/moderations',
    summary: 'Say which texts are harmful, and how',
    request: moderationRequest,
    response: moderationResponse,
    errors: [...BODY_ERRORS, 'request_too_large', 'queue_full', 'guard_failed'],
    handle: moderations,
  },
  {
    method: 'GET',
    path: '/v1/models',
    summary: 'List the served models',
    response: schemas.modelList,
    errors: [],
    handle: listModels,
  },
  {
    method: 'GET',
    path: '/v1/models/:model',
    summary: 'Describe a served model',
    response: schemas.modelCard,
    errors: ['model_not_found'],
    handle: getModel,
  },
  {
    method: 'POST',
    path: '/v1/prefixes',
    summary: 'Compute a prefix and pin its KV cache',
    request: schemas.prefixRequest,
    response: schemas.prefix,
    errors: [...BODY_ERRORS, 'context_length_exceeded', 'request_too_large', 'duplicate_id', 'shutting_down'],
    handle: createPrefix,
  },
  {
    method: 'GET',
    path: '/v1/prefixes',
    summary: 'List the pinned prefixes',
    response: schemas.prefixList,
    errors: [],
    handle: listPrefixes,
  },
  {
    method: 'DELETE',
    path: '/v1/prefixes/:id',
    summary: 'Unpin a prefix',
    response: schemas.deleted,
    errors: ['not_found'],
    handle: deletePrefix,
  },
  {
    method: 'POST',
    path: '/tokenize',
    summary: 'Tokens of a text',
    request: schemas.tokenizeRequest,
    response: schemas.tokenizeResponse,
    errors: BODY_ERRORS,
    handle: tokenize,
  },
  {
    method: 'POST',
    path: '/detokenize',
    summary: 'Text of tokens',
    request: schemas.detokenizeRequest,
    response: schemas.detokenizeResponse,
    errors: BODY_ERRORS,
    handle: detokenize,
  },
  {
    method: 'GET',
    path: '/',
    access: 'open',
    summary: 'A page to try models on, for browsers',
    errors: [],
    handle: playground,
  },
  {
    method: 'GET',
    path: '/healthz',
    access: 'open',
    summary: 'Whether the process is up',
    response: schemas.status,
    errors: [],
    handle: healthz,
  },
  {
    method: 'GET',
    path: '/health',
    access: 'open',
    summary: 'The same, by the name that other servers have for it',
    response: schemas.status,
    errors: [],
    handle: healthz,
  },
  {
    method: 'GET',
    path: '/readyz',
    access: 'open',
    summary:
      'Whether requests would be served: every loaded engine steps, some model can be asked, and no shutdown has begun',
    response: schemas.status,
    errors: ['model_not_ready', 'shutting_down'],
    handle: readyz,
  },
  {
    method: 'GET',
    path: '/readyz/:model',
    summary: 'Whether requests for one model would be served',
    response: schemas.status,
    errors: ['model_not_found', 'model_not_ready', 'shutting_down'],
    handle: modelReadyz,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/models',
    summary: 'State of every model',
    response: adminRouting.modelStatusList,
    errors: [],
    handle: listModelStatus,
  },
  {
    method: 'POST',
    access: 'admin',
    path: '/admin/models',
    summary: 'Load a model, or add an upstream; answers when it can be used',
    request: adminRouting.modelRequest,
    response: adminRouting.modelStatus,
    errors: [...BODY_ERRORS, ...LOAD_ERRORS],
    handle: loadModel,
  },
  {
    method: 'PUT',
    access: 'admin',
    path: '/admin/models/:id',
    summary:
      'Replace a model without dropping requests: the new one warms up, then traffic moves, the old one drains',
    request: adminRouting.modelRequest,
    response: adminRouting.modelStatus,
    errors: [...BODY_ERRORS, ...LOAD_ERRORS],
    handle: updateModel,
  },
  {
    method: 'DELETE',
    access: 'admin',
    path: '/admin/models/:id',
    summary: 'Unload a model once the requests that use it have ended',
    response: adminRouting.removedModel,
    errors: ['model_not_found'],
    handle: unloadModel,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/queue',
    summary: 'Who waits for which model, in what place, and for how long',
    response: adminRouting.queueStatus,
    errors: [],
    handle: listQueues,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/routes',
    summary: 'Names that stand for several models, and how their canaries do',
    response: adminRouting.routeStatusList,
    errors: [],
    handle: listRouteStatus,
  },
  {
    method: 'PUT',
    access: 'admin',
    path: '/admin/routes/:name',
    summary: 'Add or replace a route',
    request: adminRouting.routeRequest,
    response: adminRouting.routeStatus,
    errors: [...BODY_ERRORS, 'duplicate_id'],
    handle: putRoute,
  },
  {
    method: 'DELETE',
    access: 'admin',
    path: '/admin/routes/:name',
    summary: 'Remove a route',
    response: adminRouting.removedRoute,
    errors: ['not_found'],
    handle: deleteRoute,
  },
  {
    method: 'POST',
    path: '/v1/feedback',
    summary: 'Say how good an answer was, or what it should have been',
    request: evaluationSchemas.feedbackRequest,
    response: evaluationSchemas.feedbackResponse,
    errors: ADMIN_BODY_ERRORS,
    handle: feedback,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/evaluation',
    summary: 'Live quality: scores by model, variants of routes compared, calibration of cascades',
    response: evaluationSchemas.evaluationStatus,
    errors: ['store_unavailable'],
    handle: evaluationStatus,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/cache',
    summary: 'What the cache of answers holds',
    response: adminCache.cacheStats,
    errors: [],
    handle: showCache,
  },
  {
    method: 'POST',
    access: 'admin',
    path: '/admin/cache/purge',
    summary: 'Drop cached answers; nobody is given them once this has answered',
    request: adminCache.purgeRequest,
    response: adminCache.purged,
    errors: ADMIN_BODY_ERRORS,
    handle: purgeCache,
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in the text format of Prometheus',
    errors: [],
    handle: metrics,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    errors: [],
    handle: openapi,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/keys',
    summary: 'List keys and their limits',
    response: adminSchemas.keyList,
    errors: [],
    handle: admin.listKeys,
  },
  {
    method: 'POST',
    access: 'admin',
    path: '/admin/keys',
    summary: 'Make a key',
    request: adminSchemas.createKeyRequest,
    response: adminSchemas.issuedKey,
    errors: ADMIN_BODY_ERRORS,
    handle: admin.createKey,
  },
  {
    method: 'POST',
    access: 'admin',
    path: '/admin/keys/rotate',
    summary: 'Give a key another secret',
    request: adminSchemas.rotateKeyRequest,
    response: adminSchemas.issuedKey,
    errors: [...ADMIN_BODY_ERRORS, 'not_found'],
    handle: admin.rotateKey,
  },
  {
    method: 'DELETE',
    access: 'admin',
    path: '/admin/keys/:id',
    summary: 'Revoke a key',
    response: adminSchemas.key,
    errors: ['not_found', 'store_unavailable'],
    handle: admin.revokeKey,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/budgets',
    summary: 'Limits of keys, users, teams and organisations, and what is spent',
    response: adminSchemas.budgetList,
    errors: [],
    handle: admin.listBudgets,
  },
  {
    method: 'POST',
    access: 'admin',
    path: '/admin/budgets',
    summary: 'Set limits',
    request: adminSchemas.setBudgetRequest,
    response: adminSchemas.budgetState,
    errors: [...ADMIN_BODY_ERRORS, 'not_found'],
    handle: admin.setBudget,
  },
  {
    method: 'GET',
    access: 'admin',
    path: '/admin/usage',
    summary: 'What was used; query: by, since, until, limit, format (json or csv)',
    response: adminSchemas.usageList,
    errors: ['invalid_value', 'store_unavailable'],
    handle: admin.usage,
  },
];
