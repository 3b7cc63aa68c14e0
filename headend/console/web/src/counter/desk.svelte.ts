import { get } from '../lib/api';
import type { Desk, Line, Till, Token } from './types';

/// The till that this browser sells at, and how the utility writes money. The choice of till stays with the browser.
class DeskState {
  data = $state.raw<Desk | null>(null);
  error = $state('');
  #chosen = $state(localStorage.getItem('wattmesh.till') ?? '');

  get till(): Till | null {
    const tills = this.data?.tills ?? [];
    return tills.find((till) => till.terminal === this.#chosen) ?? tills[0] ?? null;
  }
  choose(terminal: string) {
    this.#chosen = terminal;
    localStorage.setItem('wattmesh.till', terminal);
  }
  async load() {
    try { this.data = await get<Desk>('/api/vend/desk'); this.error = ''; } catch (cause) { this.error = (cause as Error).message; }
  }
  /// "USD 1 234.50".
  money(minor: number | null | undefined, places = this.data?.decimals ?? 2, unit = true): string {
    if (minor === null || minor === undefined) return '–';
    let digits = String(Math.abs(minor)).padStart(places + 1, '0');
    const fraction = places > 0 ? '.' + digits.slice(-places) : '';
    digits = places > 0 ? digits.slice(0, -places) : digits;
    const currency = unit ? this.data?.currency : '';
    return `${currency ? currency + '\u00a0' : ''}${minor < 0 ? '−' : ''}${digits.replace(/\B(?=(\d{3})+$)/g, '\u202f')}${fraction}`;
  }
  /// What a person typed ("50", "50.5", "50,50") in smallest coins; null when it is no amount.
  coins(text: string): number | null {
    const places = this.data?.decimals ?? 2;
    const found = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text.replace(/[\s\u202f]/g, ''));
    if (!found || (found[2] ?? '').length > places) return null;
    return Number(found[1]! + (found[2] ?? '').padEnd(places, '0'));
  }
}
export const desk = new DeskState();

/// "5862 5789 …" of a meter's number: groups of four from the left.
export const spaced = (digits: string) => digits.replace(/(\d{4})(?=\d)/g, '$1 ');
export const lineName = (line: Line) => (line.kind === 'fee' ? 'Fee' : line.kind === 'rounding' ? 'Rounding' : line.kind === 'credit' ? 'Credit for the account' : line.kind === 'charge' ? `Charge, ${line.name}` : line.name);
/// In the order in which they are typed in: keys are changed first, since the meter takes the rest only afterwards.
export const typedOrder = (tokens: Token[]) => [...tokens.filter((token) => token.kind === 'key_change'), ...tokens.filter((token) => token.kind !== 'key_change')];
const tokenWords: Record<Token['kind'], string> = { credit: 'Token', free: 'Token, free units', transfer: 'Token, units moved', management: 'Command', key_change: 'Key change' };
/// Each twenty digits with what they are.
export const digitsOf = (tokens: Token[]) => typedOrder(tokens).flatMap((token) => token.digits.map((text, i) => ({ text, what: `${tokenWords[token.kind]}${token.digits.length > 1 ? ` ${i + 1} of ${token.digits.length}` : ''}${hasUnits(token.units) ? `, ${token.units} kWh` : ''}` })));
/// What is left after a line, in words before the sum.
export const balanceWords = (line: Line) => (line.kind === 'credit' ? 'balance then' : 'still owed');
export const hasUnits = (units: string | undefined) => !!units && units !== '0.0';
