import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The pages are served by the head-end under a strict content security policy: nothing inline, nothing from data: or
// from another host.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: true,
    // The control room's pages, and those of the vending role (counter and machine), which has a port of its own.
    rollupOptions: { input: { index: 'index.html', counter: 'counter.html' } },
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
});
