import { get, post, setCsrf, whenSignedOut } from './api';
import type { Clock, Me, Right } from './types';

/// Who is signed in, and the head-end's clock: simulated time may run faster than the browser's.
class Session {
  me = $state<Me | null>(null);
  known = $state(false);
  now = $state(Date.now());
  #base = Date.now();
  #taken = performance.now();
  #speed = 1;

  constructor() {
    whenSignedOut(() => { this.me = null; });
    setInterval(() => { this.now = this.time(); }, 1000);
  }
  get speed() { return this.#speed; }
  time() { return this.#base + (performance.now() - this.#taken) * this.#speed; }
  setClock(clock: Clock) {
    this.#base = Date.parse(clock.now);
    this.#speed = clock.speed;
    this.#taken = performance.now();
    this.now = this.#base;
  }
  #accept(me: Me) {
    setCsrf(me.csrf);
    this.setClock(me.clock);
    this.me = me;
  }
  async resume() {
    try { this.#accept(await get<Me>('/api/me')); } catch { this.me = null; }
    this.known = true;
  }
  async signIn(user: string, password: string) { this.#accept(await post<Me>('/api/login', { user, password })); }
  async signOut() {
    sessionStorage.clear();  // what this person looked for
    try { await post('/api/logout', {}); } finally { this.me = null; }
  }
  /// Only shows or hides; the server decides.
  may(right: Right) { return this.me?.rights.includes(right) ?? false; }
  get mayRead() { return this.may('read'); }
}
export const session = new Session();
