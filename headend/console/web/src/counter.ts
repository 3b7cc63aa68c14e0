import { mount } from 'svelte';
import './app.css';
import './lib/theme.svelte';
import Vending from './counter/Vending.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('counter.html has no #app');
mount(Vending, { target });
