import type { ErrorCode } from '../errors.js';
import { adminRoutes } from './admin-routes.js';
import { chatCompletions, completions } from './handlers/completions.js';
import { embeddings } from './handlers/embeddings.js';
import { feedback } from './handlers/evaluation.js';
import { healthz, modelReadyz, readyz } from './handlers/health.js';
import { metrics } from './handlers/metrics.js';
import { getModel, listModels } from './handlers/models.js';
import { moderations } from './handlers/moderations.js';
import { playground } from './handlers/playground.js';
import { createPrefix, deletePrefix, listPrefixes } from './handlers/prefixes.js';
import { cancelRequest, getRequest } from './handlers/requests.js';
import { detokenize, tokenize } from './handlers/tokenize.js';
import { openapiDocument } from './openapi.js';
import { BODY_ERRORS, type Route, STORED_BODY_ERRORS } from './route.js';
import { chatChunk, chatRequest, chatResponse } from './schemas/chat.js';
import { completionRequest, completionResponse } from './schemas/completions.js';
import { embeddingRequest, embeddingResponse } from './schemas/embeddings.js';
import * as evaluationSchemas from './schemas/evaluation.js';
import { moderationRequest, moderationResponse } from './schemas/moderations.js';
import * as schemas from './schemas/others.js';
import { backgroundRequest, removedRequest } from './schemas/requests.js';

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
    method: 'POST',
    path: '/v1/feedback',
    summary: 'Say how good an answer was, or what it should have been',
    request: evaluationSchemas.feedbackRequest,
    response: evaluationSchemas.feedbackResponse,
    errors: STORED_BODY_ERRORS,
    handle: feedback,
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
    access: 'open',
    summary: 'This document',
    errors: [],
    handle: (exchange) => exchange.text(200, openapiDocument(routes), 'application/json; charset=utf-8'),
  },
  ...adminRoutes,
];
