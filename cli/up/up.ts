import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { demoConfiguration } from '../../local/demo/configuration';
import { loadCompany } from '../../local/demo/load';
import { type DemoSignIn, prepareSignIn } from '../../local/demo/sign-in';
import { type DemoSystems, startSystems } from '../../local/demo/systems';
import { type Stack, startStack } from '../../local/stack';
import { emptyStateDir, holdStateDir } from '../../local/state-dir';
import type { Secret } from '../../model/passwords/secret';
import type { Exit } from '../exit-codes';
import { Failure } from '../failure';
import { type Api, connect } from '../http/api';
import type { Output } from '../output';
import { type Progress, startProgress } from './progress';
import { resultAsJson, showDemo, showReady } from './report';
import { type DemoResult, newPassword, runDemo } from './story';

export interface UpOptions {
  readonly demo?: true;
  readonly fresh?: true;
  readonly once?: true;
  readonly json?: true;
  readonly passwordFile?: string;
  readonly withAd?: true;
  readonly stateDir: string;
}

/** Runs Lockstep on this machine until a signal stops it, or with `--once` until the demo is over. */
export async function up(output: Output, options: UpOptions): Promise<Exit> {
  const state = heldState(options.stateDir);
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    state.release();
  };
  const stopped = stopSignal();
  try {
    // Read before anything starts, so that an error in the file is reported immediately.
    const next = options.demo ? await newPassword(options.passwordFile ?? null) : null;
    if (options.fresh) emptyStateDir(options.stateDir);
    // With --json, stdout contains only the result.
    const progress = startProgress(options.json ? process.stderr : process.stdout);
    const signIn = options.demo ? await prepareSignIn(options.stateDir) : null;
    const stack = await startStack({
      ...{ stateDir: options.stateDir, report: progress.say, signInFile: signIn?.file },
    });
    stops.push(stack.stop);
    if (signIn !== null) stops.push((await signIn.start(stack.apiUrl)).stop);
    if (next === null) {
      showReady(output, progress.readySeconds(), stack);
      await stopped;
      return 'done';
    }
    const result = await demo(output, options, stack, progress, stops, next, signIn);
    if (!options.once) await stopped;
    return result.ok ? 'done' : 'failed';
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure((error as Error).message);
  } finally {
    await stopAll();
  }
}

async function demo(
  output: Output,
  options: UpOptions,
  stack: Stack,
  progress: Progress,
  stops: (() => Promise<void>)[],
  next: Secret,
  signIn: DemoSignIn | null,
): Promise<DemoResult> {
  const systems = await startSystems({
    stateDir: options.stateDir,
    postgres: stack.postgres,
    withDomain: options.withAd ?? false,
    report: progress.say,
  });
  stops.push(systems.stop);
  const api = openApi(stack);
  const configurationFile = await load(api, systems, options.stateDir);
  const readySeconds = progress.readySeconds();
  progress.say('ready, changing a password');
  const result = await runDemo(api, systems, next);
  showDemo(options.json ? process.stderr : process.stdout, output, {
    result,
    stack,
    signIn,
    readySeconds,
    configurationFile,
    staysUp: !options.once,
  });
  if (options.json) process.stdout.write(`${resultAsJson(result, readySeconds)}\n`);
  return result;
}

const openApi = (stack: Stack): Api =>
  connect(
    { url: new URL(stack.apiUrl), apiKey: readFileSync(stack.adminKeyFile, 'utf8').trim() },
    true,
  );

/** Applies the configuration of the demo and loads its people. @returns the path of the applied lockstep.yaml */
async function load(api: Api, systems: DemoSystems, stateDir: string): Promise<string> {
  const text = demoConfiguration(systems);
  const file = path.join(stateDir, 'demo', 'lockstep.yaml');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  const document = parse(text);
  const call = (method: 'GET' | 'POST' | 'PUT', segments: readonly string[], body?: unknown) =>
    method === 'GET'
      ? api.get(segments)
      : api.send(method, segments, { body, waitSeconds: REFRESH_SECONDS });
  await loadCompany(call, document, Object.keys(document.sources));
  return path.relative(process.cwd(), file);
}

const REFRESH_SECONDS = 30;

function heldState(dir: string) {
  try {
    return holdStateDir(dir);
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

/** Resolves at the first Ctrl-C, or at a signal of the process that started this one. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve());
  });
