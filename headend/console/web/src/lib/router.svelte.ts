/// Addresses that can be pasted: the path says which page, the query its filters.
class Router {
  path = $state(location.pathname);
  query = $state(new URLSearchParams(location.search));

  constructor() {
    window.addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#click(event));
  }
  #read() {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
  #click(event: MouseEvent) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const anchor = (event.target as Element | null)?.closest('a');
    if (!anchor || anchor.target || anchor.origin !== location.origin || anchor.pathname.startsWith('/api/')) return;
    event.preventDefault();
    this.go(anchor.pathname + anchor.search);
  }
  go(to: string) {
    if (to === location.pathname + location.search) return;
    history.pushState(null, '', to);
    const moved = location.pathname !== this.path;
    this.#read();
    if (moved) document.getElementById('content')?.scrollTo(0, 0);
  }
  /// Changes filters of this page without a new line in the history.
  set(values: Record<string, string | null>) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === '') query.delete(name); else query.set(name, value);
    }
    const text = query.toString();
    history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
    this.#read();
  }
}
export const router = new Router();

/// "/meters/:number" against a path: its parameters, or null.
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/'), given = path.replace(/\/+$/, '').split('/');
  if (wanted.length !== given.length) return null;
  const parameters: Record<string, string> = {};
  for (let i = 0; i < wanted.length; ++i) {
    const part = wanted[i]!;
    if (part.startsWith(':')) parameters[part.slice(1)] = decodeURIComponent(given[i]!);
    else if (part !== given[i]) return null;
  }
  return parameters;
}
