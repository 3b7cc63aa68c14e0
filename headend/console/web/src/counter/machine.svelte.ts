import { ApiError, get, post, setBearer } from '../lib/api';
import { desk } from './desk.svelte';
import { Order } from './order.svelte';
import { SimulatedPorts, type PayKind } from './ports';
import type { PrepaidMeter, Quote } from './types';
import { words, type Language } from './words';

export type Step = 'setup' | 'away' | 'start' | 'number' | 'yours' | 'howmuch' | 'pay' | 'making' | 'token' | 'message';
interface Fitted { token: string; terminal: string }

const place = 'wattmesh.machine', orderPlace = 'wattmesh.machine.order';
const idle_ms = 45_000, token_ms = 90_000, message_ms = 12_000, warn_ms = 10_000;
/// A sale that was in the making when the machine went dark is shown only while its customer can still be there.
const stays_ms = 180_000;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/// What a self-service machine does, step by step. It holds one customer at a time, and forgets everything at the start screen.
export class Machine {
  step = $state<Step>('away');
  language = $state<Language>('en');
  number = $state('');
  typed = $state('');
  mode = $state<'money' | 'units'>('money');
  meter = $state.raw<PrepaidMeter | null>(null);
  quote = $state.raw<Quote | null>(null);
  failure = $state('');
  message = $state('');
  kind = $state<PayKind>('cash');
  inserted = $state(0);
  busy = $state(false);
  /// Left until the start screen comes back by itself.
  left_s = $state<number | null>(null);
  readonly order = new Order(orderPlace, true);
  ports = $state.raw<SimulatedPorts | null>(null);
  #fitted: Fitted | null = null;
  #until = Infinity;
  #look = 0;
  #asked = 0;
  #restored = false;
  /// Of the order that waits for a card.
  #cardKey = '';
  #opening: Promise<unknown> = Promise.resolve();

  get say() { return words[this.language]; }
  get terminal() { return this.#fitted?.terminal ?? ''; }

  constructor() {
    try { this.#fitted = JSON.parse(localStorage.getItem(place) ?? 'null') as Fitted | null; } catch { localStorage.removeItem(place); }
    this.order.whenEnded((sold) => void (sold ? this.#sold() : this.#refused()));
  }
  async run(stopped: () => boolean) {
    this.order.look();
    if (!this.#fitted || new URLSearchParams(location.search).has('setup')) { this.step = 'setup'; return; }
    setBearer(this.#fitted.token);
    while (!stopped()) {
      this.#tick();
      if (this.step === 'away' || (this.step === 'start' && Date.now() >= this.#look)) await this.#stand();
      else if (this.step === 'pay') await this.#watchMoney();
      await pause(this.step === 'away' ? 2000 : 500);
    }
  }
  /// Ties this browser to a till. Throws what is wrong with token or till.
  async fit(token: string, terminal: string) {
    setBearer(token);
    const found = await get<{ tills: { terminal: string }[] }>('/api/vend/desk');
    if (!found.tills.some((till) => till.terminal === terminal)) throw new Error(`The token's owner has no till '${terminal}'.`);
    localStorage.setItem(place, JSON.stringify({ token, terminal }));
    location.assign('/machine');
  }

  /// Whether the machine may sell, asked while nobody is at it; a sale that was cut off goes on first.
  async #stand() {
    await desk.load();
    this.#look = Date.now() + 10_000;
    const till = desk.error ? undefined : desk.data?.tills.find((one) => one.terminal === this.terminal);
    this.ports = desk.data?.simulated_ports ? (this.ports ?? new SimulatedPorts(this.terminal)) : null;
    // Also while the till is disabled: what was paid is sold, or given back.
    if (till && this.ports && this.order.pending) return this.#recover();
    if (!till || !this.ports || !desk.data?.ready || till.disabled || till.available <= 0) { this.step = 'away'; return; }
    if (this.step === 'away') { await this.#moneyBack(); this.reset(); }
  }
  /// An order was written down before the machine went dark. Its money decides: kept, and the sale goes on; else nothing was sold.
  async #recover() {
    const pending = this.order.pending!;
    try {
      await this.ports!.close();
      const state = await this.ports!.payment(pending.key);
      if (state === 'taken') {
        this.#restored = Date.now() - pending.begun > stays_ms;
        this.step = 'making';
        this.#stay(Infinity);
        this.order.resume();
        return;
      }
      this.order.done();
      await this.#moneyBack();
      this.reset();
    } catch { this.step = 'away'; }
  }

  reset() {
    this.number = this.typed = this.failure = this.message = '';
    this.meter = null;
    this.quote = null;
    this.mode = 'money';
    this.inserted = 0;
    this.#cardKey = '';
    this.busy = this.#restored = false;
    this.language = 'en';
    this.left_s = null;
    this.#until = Infinity;
    this.#look = 0;
    this.step = 'start';
  }
  touch() { if (this.#until !== Infinity) this.#stay(this.step === 'token' ? token_ms : this.step === 'message' ? message_ms : idle_ms); }
  #stay(ms: number) {
    this.#until = Date.now() + ms;
    this.left_s = null;
  }
  #tick() {
    const left = this.#until - Date.now();
    if (left <= 0) void this.leave();
    else this.left_s = left <= warn_ms ? Math.ceil(left / 1000) : null;
  }
  #go(step: Step, ms = idle_ms) {
    this.failure = '';
    this.step = step;
    this.#stay(ms);
  }
  /// Back to the start: money that was not kept comes back, and nothing of the customer stays.
  async leave() {
    if (this.step === 'making') return;
    if (this.step === 'pay') {
      this.#until = Infinity;
      if (await this.#stopped()) this.reset();
      return;
    }
    if (this.order.receipt) this.order.done();
    this.reset();
  }
  async #moneyBack() { try { await this.ports?.giveBack(); } catch { this.step = 'away'; } }
  #tell(message: string) {
    this.reset();
    this.message = message;
    this.step = 'message';
    this.#stay(message_ms);
  }

  begin() { this.#go('number'); }
  async find() {
    this.busy = true;
    this.touch();
    try {
      this.meter = await get<PrepaidMeter>(`/api/vend/meters/${this.number}`);
      this.#go('yours');
    } catch (cause) {
      const status = (cause as ApiError).status;
      this.failure = status === 400 || status === 404 ? this.say.wrong : this.say.awayMore;
    }
    this.busy = false;
  }
  mine() { this.#go('howmuch'); this.typed = ''; this.quote = null; }
  /// What the typed amount buys, or the typed units cost.
  async price() {
    const now = ++this.#asked;
    const amount = this.mode === 'money' ? desk.coins(this.typed) : null;
    this.touch();
    this.quote = null;
    this.failure = '';
    if (this.mode === 'money' ? !amount : !(Number(this.typed) > 0)) return;
    const quote = await this.#quote(this.mode === 'money' ? { tender: amount } : { units: this.typed });
    if (now === this.#asked) this.quote = quote;
  }
  async #quote(wanted: Record<string, unknown>): Promise<Quote | null> {
    const ask = (body: Record<string, unknown>) => post<Quote>('/api/vend/quotes', { terminal: this.terminal, meter: this.meter?.meter, ...body });
    try { return await ask(wanted); } catch (cause) {
      if ((cause as ApiError).problem?.reason !== 'tender') { this.failure = this.say.awayMore; return null; }
      try { this.failure = `${this.say.least} ${desk.money((await ask({ units: '0.1' })).tender)}.`; } catch { this.failure = this.say.tooMuch; }
      return null;
    }
  }
  /// Money is let in only after vending has just answered.
  async pay(kind: PayKind) {
    const wanted = this.quote;
    if (!wanted || this.busy || !this.ports) return;
    this.busy = true;
    this.touch();
    const again = await this.#quote({ tender: wanted.tender });
    if (again) {
      this.quote = again;
      this.kind = kind;
      const body = { terminal: this.terminal, meter: this.meter!.meter, tender: again.tender, pay_type: kind };
      try {
        // A card is charged by its port as soon as it is held to it: so its order is written down before.
        this.#cardKey = '';
        if (kind === 'card') this.#cardKey = this.order.prepare('/api/vend/sales', body).key;
        this.#go('pay');
        await (this.#opening = this.ports.open(kind, this.#cardKey, kind === 'cash' ? (this.meter!.tender_max ?? again.tender) : again.tender));
      } catch { await this.stopPaying(this.say.awayMore); }  // a port whose answer was lost may be open
    }
    this.busy = false;
  }
  /// While the ports are open: what was put in, and whether it can still be sold.
  async #watchMoney() {
    if (this.busy) return;
    try {
      if (this.kind === 'card') {
        const state = await this.ports!.payment(this.#cardKey);
        if (state === 'taken') this.#making();
        else if (state === 'refused') { this.order.done(); this.#tell(this.say.cardRefused); await this.#moneyBack(); }
        return;
      }
      const inserted = await this.ports!.inserted();
      if (inserted !== this.inserted) { this.inserted = inserted; this.touch(); }
      const quote = await this.#quote({ tender: inserted > 0 ? inserted : (this.quote?.tender ?? 0) });
      if (inserted > 0) this.quote = quote;
      if (this.failure === this.say.awayMore && this.step === 'pay') await this.stopPaying(`${this.say.awayMore} ${this.say.moneyBack}`);
    } catch { /* the ports do not answer: asked again */ }
  }
  /// The customer's own wish, or vending went away: everything that was put in comes back.
  async stopPaying(why: string) { if (await this.#stopped()) this.#tell(why); }
  /// Lets nothing more in before it asks what was paid: a card that was held to the reader meanwhile makes the sale. False then, and while
  /// the ports do not answer: that is found out before anything else is done.
  async #stopped(): Promise<boolean> {
    const key = this.#cardKey;
    try {
      await this.#opening.catch(() => { /* whether it is open is not known: it is closed */ });  // a close that overtook it would leave the port open
      await this.ports!.close();
      if (key && (await this.ports!.payment(key)) === 'taken') { this.#making(); return false; }
      if (key) this.order.done();
      await this.ports!.giveBack();
      return true;
    } catch { this.step = 'away'; return false; }
  }
  /// The port is closed, so that what is counted is what is sold; the order is written down, then the money kept, then the sale asked for:
  /// whatever fails in between is found again by its key.
  async buy() {
    if (this.busy || !this.quote || this.inserted <= 0) return;
    this.busy = true;
    try {
      await this.ports!.close();
      const inserted = this.inserted = await this.ports!.inserted();
      const quote = await this.#quote({ tender: inserted });
      if (quote) {
        this.quote = quote;
        const pending = this.order.prepare('/api/vend/sales', { terminal: this.terminal, meter: this.meter!.meter, tender: inserted, pay_type: 'cash' });
        if ((await this.ports!.take(pending.key, inserted)) === 'taken') { this.busy = false; this.#making(); return; }
        this.order.done();
        await this.stopPaying(this.say.moneyBack);
      } else if (this.failure === this.say.awayMore) await this.stopPaying(`${this.say.awayMore} ${this.say.moneyBack}`);
      else await this.ports!.open('cash', '', this.meter!.tender_max ?? inserted);  // another note may do
    } catch { this.step = 'away'; }  // whether it was kept is found out before anything else is done
    this.busy = false;
  }
  /// The look at the card and the customer's cancel may both find that it has paid; the second finds the sale under way, or over.
  #making() {
    if (this.step !== 'pay') return;
    this.#go('making', Infinity);
    this.order.resume();
  }
  async #sold() {
    if (this.#restored) {
      this.order.done();
      this.#tell(this.say.ended);
      return;
    }
    this.number = this.typed = '';
    this.meter = null;
    this.busy = false;
    this.#go('token', token_ms);
  }
  /// The money was kept and nothing was sold for it.
  async #refused() {
    const pending = this.order.pending;
    if (!pending) return;
    for (;;) {
      try { await this.ports!.refund(pending.key); break; } catch { this.order.trouble = this.say.refundLate; await pause(2000); }
    }
    this.order.done();
    this.#tell(this.say.refunded);
  }
  /// The customer says that he has it.
  async confirm() {
    const sale = this.order.receipt?.sale;
    if (sale) try { await post(`/api/vend/sales/${sale}/confirm`, {}); } catch { /* the counter prints it again */ }
    await this.leave();
  }
}
