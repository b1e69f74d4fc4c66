/** Kubernetes objects against the schemas of their kinds: types, what must be there, and fields that no schema knows. */

import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';

const kinds = [
  Deployment,
  PodDisruptionBudget,
  PodMonitor,
  ScaledObject,
  Service,
  ServiceMonitor,
  TriggerAuthentication,
];

/** Faults of one object; none: []. */
export function faultsOf(object) {
  const { apiVersion, kind } = object ?? {};
  const model = kinds.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (!model) return [`no schema for ${apiVersion} ${kind}`];
  const watched = watch(new model(object));
  try {
    model.prototype.validate.call(watched.object);
  } catch (error) {
    return [error.message];
  }
  return watched.unread();
}

/** A validator reads every field that its schema knows, and all of a map's; so what it leaves unread is unknown. */
function watch(root) {
  const unread = [];
  const proxyOf = (value, path) => {
    if (typeof value !== 'object' || value === null) return value;
    const left = new Set(Array.isArray(value) ? [] : Object.keys(value));
    const children = new Map();
    unread.push(() => [...left].map((name) => `${path}${name}: there is no such field`));
    return new Proxy(value, {
      get(target, name, receiver) {
        left.delete(name);
        if (!Object.hasOwn(target, name)) return Reflect.get(target, name, receiver);
        if (!children.has(name)) children.set(name, proxyOf(target[name], `${path}${String(name)}.`));
        return children.get(name);
      },
    });
  };
  const object = proxyOf(root, '');
  return { object, unread: () => unread.flatMap((list) => list()) };
}
