import { mount } from 'svelte';
import 'uplot/dist/uPlot.min.css';
import './app.css';
import './lib/theme.svelte';
import App from './App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
