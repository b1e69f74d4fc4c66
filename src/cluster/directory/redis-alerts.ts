import type { AlertStore } from '../../cost/budget-alerts.js';
import type { RedisLink } from '../../redis/link.js';
import type { BudgetAlert } from '../../store/types.js';

/** Which alerts are due, and which were delivered, for all gateways: a hash of those under way, and of names of the others. */
export class RedisAlerts implements AlertStore {
  readonly #redis: RedisLink;

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  /** False where any gateway has recorded it before. */
  async recordAlert(alert: BudgetAlert): Promise<boolean> {
    return (await this.#send('HSETNX', nameOf(alert), JSON.stringify(alert))) === 1;
  }

  async alertDelivered(alert: BudgetAlert): Promise<void> {
    await this.#send('HSET', nameOf(alert), '');
  }

  async undeliveredAlerts(sinceMs: number, maxRows: number): Promise<BudgetAlert[]> {
    const alerts: BudgetAlert[] = [];
    const fields = (await this.#send('HGETALL')) as Buffer[];
    for (let i = 1; i < fields.length; i += 2) {
      const [name, body] = [String(fields[i - 1]), String(fields[i])];
      const startMs = Number(name.split(' ')[0]);
      if (startMs < sinceMs) await this.#send('HDEL', name);
      else if (body !== '') alerts.push(JSON.parse(body) as BudgetAlert);
    }
    return alerts.slice(0, maxRows);
  }

  #send(command: string, ...args: string[]) {
    const key = this.#redis.keys.directory('alerts');
    return this.#redis.commands.send(key, [command, key, ...args]);
  }
}

function nameOf({ scope, period, periodStartMs, percent }: BudgetAlert): string {
  return `${periodStartMs} ${period} ${percent} ${scope}`;
}
