import type { Problem } from './types';

/// An answer that is not 2xx, with the words the server chose for people.
export class ApiError extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

let csrf = '', bearer = '';
/// For a program's page: an API token instead of a session.
export function setBearer(token: string) { bearer = token; }
let onSignedOut: () => void = () => {};
export function setCsrf(token: string) { csrf = token; }
export function whenSignedOut(action: () => void) { onSignedOut = action; }

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, key?: string): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (key) headers['Idempotency-Key'] = key;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method, headers, signal, credentials: 'same-origin', cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, { title: 'The head-end does not answer', status: 0, detail: 'The head-end does not answer. The page tries again by itself.' });
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  let parsed: unknown;
  try { parsed = text ? JSON.parse(text) : undefined; } catch { parsed = undefined; }
  if (!response.ok) {
    if (response.status === 401 && path !== '/api/login') onSignedOut();
    // What is between the page and the head-end answers too, in words of its own.
    const ours = response.headers.get('Content-Type')?.startsWith('application/problem+json');
    throw new ApiError(response.status, (ours && (parsed as Problem | undefined)) || { title: response.statusText || 'Error', status: response.status });
  }
  return (response.headers.get('Content-Type')?.startsWith('text/plain') ? text : parsed) as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, undefined, signal);
/// An order that is carried out once, however often it is sent with the same key and the same body.
export const order = <T>(path: string, body: unknown, key: string, signal?: AbortSignal) => request<T>('POST', path, body, signal, key);
export const post = <T>(path: string, body: unknown, signal?: AbortSignal) => request<T>('POST', path, body, signal);
