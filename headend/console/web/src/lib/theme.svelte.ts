/// Day or dark: the operator's choice, else what the system prefers.
class Theme {
  dark = $state(false);
  constructor() {
    const kept = localStorage.getItem('wattmesh.theme');
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    this.#show(kept ? kept === 'dark' : system.matches);
    system.addEventListener('change', (e) => { if (!localStorage.getItem('wattmesh.theme')) this.#show(e.matches); });
  }
  #show(dark: boolean) {
    this.dark = dark;
    document.documentElement.dataset.theme = dark ? 'dark' : 'day';
  }
  toggle() {
    this.#show(!this.dark);
    localStorage.setItem('wattmesh.theme', this.dark ? 'dark' : 'day');
  }
}
export const theme = new Theme();
