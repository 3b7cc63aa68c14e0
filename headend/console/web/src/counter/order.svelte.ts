import { ApiError, order as send } from '../lib/api';
import type { Receipt, SaleOrder } from './types';

/// What is written down before the first try, and stays until the customer has the receipt.
export interface PendingOrder { key: string; path: string; body: SaleOrder; begun: number }

const waits_ms = [500, 1000, 2000, 4000, 8000];
export function newKey(): string {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join('');
}
/// Vending itself said that it sold nothing and will not with this order. A status alone says nothing: somebody else may have answered.
const refusals = new Set(['unknown_meter', 'blocked_meter', 'no_account', 'no_key', 'terminal_disabled', 'tender', 'vendor_credit', 'too_many_tokens', 'key_reused', 'not_possible', 'bad_request',
  'conflict', 'unknown_key', 'not_active', 'issuing_ended', 'key_expired', 'function', 'key_type', 'limit_reached', 'not_derivable']);
const isRefusal = (failure: ApiError) => refusals.has(failure.problem?.reason ?? '');

/// One sale from the till's side. Its key is kept over reloads: however the first answer was lost, the order is sent again as it was
/// until there is an answer, so that one payment is one token. Only a refusal or done() ends it.
export class Order {
  pending = $state.raw<PendingOrder | null>(null);
  receipt = $state.raw<Receipt | null>(null);
  /// Words while there is no answer; empty while all is well.
  trouble = $state('');
  /// Why nothing was sold.
  refusal = $state('');
  refusedBody = $state.raw<SaleOrder | null>(null);
  #place: string;
  #timer = 0;
  #tries = 0;
  #ended: (sold: boolean) => void = () => {};

  /// `keepsRefused`: a refusal leaves the order written down until done(), for who has to give money back first.
  constructor(place: string, private readonly keepsRefused = false) {
    this.#place = place;
    this.pending = this.#kept();
  }
  #kept(): PendingOrder | null {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#place) ?? 'null') as PendingOrder | null;
      return kept?.key && kept.path && kept.body ? kept : null;
    } catch { return null; }
  }
  /// Reads again what is written down: another window may have ended it.
  look() { this.pending = this.#kept(); }
  whenEnded(action: (sold: boolean) => void) { this.#ended = action; }
  /// Writes an order down without sending it: for a machine that takes the money in between.
  prepare(path: string, body: SaleOrder): PendingOrder {
    this.pending ??= this.#kept();
    if (this.pending) throw new Error('An order that another window of this till began comes first.');
    const made = { key: newKey(), path, body, begun: Date.now() };
    localStorage.setItem(this.#place, JSON.stringify(made));
    this.pending = made;
    this.refusal = '';
    return made;
  }
  begin(path: string, body: SaleOrder) {
    try { this.prepare(path, body); } catch (cause) { this.trouble = (cause as Error).message; }
    this.resume();
  }
  /// Sends it, again if need be. Safe at any time.
  resume() {
    if (!this.pending || this.receipt) return;
    clearTimeout(this.#timer);
    this.#tries = 0;
    void this.#send();
  }
  pause() { clearTimeout(this.#timer); }
  async #send() {
    const sent = this.pending;
    if (!sent) return;
    try {
      const receipt = await send<Receipt>(sent.path, sent.body, sent.key);
      if (this.pending !== sent) return;
      this.receipt = receipt;
      this.trouble = '';
      this.#ended(true);
    } catch (cause) {
      if (this.pending !== sent) return;
      const failure = cause as ApiError;
      if (isRefusal(failure)) {
        this.refusal = failure.message;
        this.refusedBody = sent.body;
        if (!this.keepsRefused) this.done();
        this.#ended(false);
        return;
      }
      this.trouble = failure.status === 0 ? 'The vending system does not answer.' : failure.message;
      if (failure.status === 401 || failure.status === 403) return;  // somebody has to sign in first
      const wait = waits_ms[Math.min(this.#tries++, waits_ms.length - 1)]!;
      this.#timer = window.setTimeout(() => void this.#send(), wait);
    }
  }
  /// The customer has it, or nothing was sold.
  done() {
    clearTimeout(this.#timer);
    localStorage.removeItem(this.#place);
    this.pending = null;
    this.receipt = null;
    this.trouble = '';
  }
}

/// One window of this browser sells at a time: two that write orders down in the same place would forget one another's. Where a browser
/// has no locks (no HTTPS) every window takes itself for the one.
export class OneWindow {
  mine = $state(false);
  /// Another window has had it for a while.
  elsewhere = $state(false);
  #left = new AbortController();
  #release = () => {};
  #timer = 0;

  enter(name: string) {
    if (!navigator.locks) { this.mine = true; return; }
    this.#timer = window.setTimeout(() => (this.elsewhere = !this.mine), 400);
    navigator.locks.request(name, { signal: this.#left.signal }, () => new Promise<void>((release) => {
      this.#release = release;
      this.mine = true;
      this.elsewhere = false;
    })).catch(() => { /* left before its turn */ });
  }
  leave() {
    clearTimeout(this.#timer);
    this.#left.abort();
    this.#release();
  }
}
