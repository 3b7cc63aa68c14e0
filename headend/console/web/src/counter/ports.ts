import { get, post } from '../lib/api';

export type PayKind = 'cash' | 'card';
export type PaymentState = 'none' | 'taken' | 'refused' | 'refunded';

/// The machine's cash and card ports. `key` is the order's: each act may be sent again and is done once.
export interface PaymentPorts {
  /// Lets money in: notes and coins up to `amount`, or a card that is charged with exactly `amount`.
  open(kind: PayKind, key: string, amount: number): Promise<void>;
  /// What was put in and is not kept yet; of a card, what it was charged with.
  inserted(): Promise<number>;
  /// Lets nothing more in, no note and no card; what was put in stays until it is kept or given back.
  close(): Promise<void>;
  /// Keeps what was put in, when it is exactly `amount`; otherwise the payment stays as it is.
  take(key: string, amount: number): Promise<PaymentState>;
  /// How a payment stands: what a machine asks after it was switched off in the middle.
  payment(key: string): Promise<PaymentState>;
  /// Closes the ports and gives back what was not kept.
  giveBack(): Promise<void>;
  /// Gives back what was kept.
  refund(key: string): Promise<void>;
}

/// The ports that the vending role simulates for demonstrations (vending.simulated_ports).
export class SimulatedPorts implements PaymentPorts {
  constructor(private readonly terminal: string) {}
  #act<T>(act: string, body: Record<string, unknown> = {}) { return post<T>(`/api/vend/ports/${act}`, { terminal: this.terminal, ...body }); }
  open(kind: PayKind, key: string, amount: number) { return this.#act<void>('open', key ? { kind, key, amount } : { kind, amount }); }
  async inserted() { return (await get<{ inserted: number }>(`/api/vend/ports?terminal=${encodeURIComponent(this.terminal)}`)).inserted; }
  close() { return this.#act<void>('close'); }
  async take(key: string, amount: number) { return (await this.#act<{ state: PaymentState }>('take', { key, amount })).state; }
  async payment(key: string) { return (await get<{ state: PaymentState }>(`/api/vend/ports?terminal=${encodeURIComponent(this.terminal)}&key=${key}`)).state; }
  giveBack() { return this.#act<void>('back'); }
  refund(key: string) { return this.#act<void>('refund', { key }); }
  /// What a person does at the machine.
  person(act: 'insert' | 'card' | 'bad_card', amount = 0) { return this.#act<void>('person', { act, amount }); }
}
