import type { LiveMessage } from './types';

type Listener = (message: LiveMessage) => void;

/// One WebSocket for all pages. It comes back by itself; a hole in a topic's sequence or a reconnect tells the pages to
/// load again, so nothing is missed silently.
class Live {
  state = $state<'connecting' | 'live' | 'down'>('connecting');
  last = $state<number | null>(null);
  recent = $state.raw<LiveMessage[]>([]);
  #socket: WebSocket | null = null;
  #listeners = new Set<Listener>();
  #reloaders = new Set<() => void>();
  #sequence = new Map<string, number>();
  #delay = 500;
  #wanted = false;
  #timer = 0;

  start() { this.#wanted = true; if (!this.#socket) this.#open(); }
  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    this.recent = [];
  }
  listen(listener: Listener) { this.#listeners.add(listener); return () => { this.#listeners.delete(listener); }; }
  onReload(action: () => void) { this.#reloaders.add(action); return () => { this.#reloaders.delete(action); }; }

  #open() {
    this.state = this.last === null ? 'connecting' : 'down';
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/ws`);
    this.#socket = socket;
    socket.onopen = () => {
      const again = this.last !== null;
      this.state = 'live';
      this.last = Date.now();
      this.#delay = 500;
      this.#sequence.clear();
      socket.send(JSON.stringify({ subscribe: ['readings', 'sessions', 'joins', 'outages', 'overview', 'alarms'] }));
      if (again) for (const reload of this.#reloaders) reload();
    };
    socket.onmessage = (event) => this.#message(String(event.data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (!this.#wanted) return;
      this.state = 'down';
      this.#timer = window.setTimeout(() => this.#open(), this.#delay * (0.75 + Math.random() / 2));
      this.#delay = Math.min(this.#delay * 2, 10_000);
    };
  }
  #message(text: string) {
    this.last = Date.now();
    let message: LiveMessage;
    try { message = JSON.parse(text) as LiveMessage; } catch { return; }
    if (!message.topic) return;
    const before = this.#sequence.get(message.topic);
    this.#sequence.set(message.topic, message.sequence);
    if (before !== undefined && message.sequence > before + 1) for (const reload of this.#reloaders) reload();
    if (message.topic !== 'overview' && message.topic !== 'alarms') this.recent = [message, ...this.recent].slice(0, 60);
    for (const listener of this.#listeners) listener(message);
  }
}
export const live = new Live();
