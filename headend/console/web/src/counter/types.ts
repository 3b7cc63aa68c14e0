// What the vending role answers; the names are those of headend/vending/openapi.yaml. Money is in smallest coins, units are texts like "26.9".

export interface Shift { shift: number; operator: string; opened: string; closed?: string | null; expected?: number; counted?: number; difference?: number }
export interface Till { terminal: string; vendor: string; disabled: boolean; available: number; shift: Shift | null }
export interface Desk { ready: boolean; utility: string; address: string; tax_number: string; help_line: string; currency: string; decimals: number; simulated_ports: boolean; tills: Till[] }
export interface Found { meter: string; account: string; customer: string; address: string }
export interface Debt { debt: number; name: string; recovery: string; balance: number }
export interface PrepaidMeter {
  meter: string;
  blocked: string | null;
  vending_key: string;
  tariff_index: number;
  account: string;
  customer: string;
  address: string;
  tariff?: string;
  tender_min?: number;
  tender_max?: number;
  bought_this_month: string;
  free_units_due: string;
  balance: number | null;
  key_changed: string | null;
  last_purchase: { at: string; tender: number; units: string } | null;
  debts: Debt[];
}
export interface Line { kind: 'fee' | 'charge' | 'debt' | 'energy' | 'levy' | 'tax' | 'rounding' | 'credit'; name: string; amount: number; units?: string; price_mills?: number; base?: number; ppm?: number; debt?: number; balance?: number }
export interface Quote { meter: string; customer: string; address: string; tender: number; units: string; free_units: string; lines: Line[]; vendor_credit: number }
export interface Token { kind: 'credit' | 'free' | 'transfer' | 'management' | 'key_change'; supply_group: string; key_revision: number; tariff_index: number; units?: string; digits: string[] }
export interface Receipt {
  sale: number;
  kind: 'sale' | 'free' | 'engineering' | 'key_change' | 'payment' | 'claim' | 'transfer';
  at: string;
  vendor?: string;
  terminal: string;
  operator: string;
  customer: { number: string; name: string; address: string };
  meter: string;
  tariff?: string;
  tender: number;
  pay_type: string;
  units: string;
  free_units: string;
  lines: Line[];
  tokens: Token[];
  delivery?: { meter: string; notice: string };
  account?: { credited: number; balance: number; notice: string };
}
export interface SoldLine { sale: number; kind: Receipt['kind']; state: 'intended' | 'issued' | 'refused' | 'reversed'; at: string; meter: string; tender: number; units: string; free_units: string; pay_type: string; operator: string; confirmed: boolean; copies: number; delivery: string | null }
export interface SaleOrder { terminal: string; meter: string; tender: number; pay_type?: string }
export interface Adjustment { adjustment: number; kind: 'write_off' | 'pay_out'; state: 'waiting' | 'posted' | 'refused' | 'reversed'; account: string; customer: string; debt: string; amount: number; reference: string; reason: string; ordered_by: string; ordered: string; decided_by: string; decided_why: string; decided: string | null; sale: number | null }
export interface AccountStanding { account: string; customer: string; address: string; balance: number | null; no_pay_out: string | null; debts: { name: string; recovery: string; original: number; balance: number; held: boolean }[]; adjustments: Adjustment[] }
