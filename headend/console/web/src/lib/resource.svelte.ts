import { ApiError, get } from './api';
import { live } from './live.svelte';

/// A document of the API that stays current: loaded when its address changes, after a push that concerns it and when the
/// push link comes back. An old answer stays in sight, marked stale, while a new one cannot be had.
export class Resource<T> {
  data = $state.raw<T | null>(null);
  error = $state<string | null>(null);
  status = $state(200);
  loading = $state(false);
  #path: string | null = null;
  #abort: AbortController | null = null;
  #again = 0;

  get stale() { return this.error !== null && this.data !== null; }
  async load(path: string) {
    const fresh = path !== this.#path;
    this.#path = path;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    if (fresh) { this.loading = true; this.error = null; }
    try {
      const data = await get<T>(path, abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = null;
      this.status = 200;
    } catch (cause) {
      if (abort.signal.aborted) return;
      const failure = cause as ApiError;
      this.status = failure.status ?? 0;
      this.error = failure.message;
      if (fresh && this.status !== 0) this.data = null;
      if (this.status === 0 || this.status >= 500) this.soon(4000);
    } finally {
      if (!abort.signal.aborted) this.loading = false;
    }
  }
  reload() { if (this.#path) void this.load(this.#path); }
  /// Many pushes, one load.
  soon(delay = 700) {
    if (this.#again) return;
    this.#again = window.setTimeout(() => { this.#again = 0; this.reload(); }, delay);
  }
  close() { clearTimeout(this.#again); this.#again = 0; this.#abort?.abort(); this.#path = null; }
}

/// For use in a component: loads `path()` whenever it changes; `topics` are the pushes after which it loads again.
export function use<T>(path: () => string | null, topics: string[] = []): Resource<T> {
  const resource = new Resource<T>();
  $effect(() => {
    const wanted = path();
    if (wanted) void resource.load(wanted);
  });
  $effect(() => {
    const stops = [
      live.onReload(() => resource.soon(100)),
      live.listen((message) => { if (topics.includes(message.topic)) resource.soon(); }),
    ];
    return () => { stops.forEach((stop) => stop()); resource.close(); };
  });
  return resource;
}
