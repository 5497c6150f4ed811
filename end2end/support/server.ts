import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import path from "node:path";

/** What a test may ask of its server. */
export interface ServerOptions {
  /** `manual`: nothing happens until the test steps the venue. */
  clock: "realtime" | "manual";
  /** More arguments for `tickhall serve`. */
  args: string[];
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const KEPT_LINES = 2_000;
const LINK = /\/reset\?token=\w+/;
const ADDRESS = /http:\/\/127\.0\.0\.1:(\d+)/;

/**
 * `TICKHALL_TOPOLOGY` says that the whole site of compose.yaml is to run in
 * the place of one `tickhall serve`: as `processes` or as `containers`.
 */
const TOPOLOGY = process.env["TICKHALL_TOPOLOGY"];
const SITE_START_LIMIT_MS = TOPOLOGY === "containers" ? 3_600_000 : 60_000;

/** This worker's server. */
let current: Server | undefined;

/** Path of a link that sets the password of `email`; none unless they are the named owner. */
export async function ownerLink(email: string): Promise<string | undefined> {
  return current?.isOwner(email) ? current.passwordLink(email) : undefined;
}

/** One `tickhall serve` with a data folder of its own, on a free port. */
export class Server {
  protected child: ChildProcess | undefined;
  protected port = 0;
  private lines: string[] = [];
  private listeners = new Set<(line: string) => void>();

  protected constructor(
    protected readonly binary: string,
    protected readonly options: ServerOptions,
    /** The data folder, the same over restarts. */
    readonly data: string,
  ) {}

  static async create(options: ServerOptions): Promise<Server> {
    const data = await mkdtemp(path.join(tmpdir(), "tickhall-e2e-"));
    const server = TOPOLOGY ? new Site(options, data) : new Server(findBinary(), options, data);
    await server.start();
    current = server;
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything that the process printed, the newest lines last. */
  get output(): string {
    return this.lines.join("\n");
  }

  isOwner(email: string): boolean {
    const { args } = this.options;
    const at = args.indexOf("--owner-email");
    return at >= 0 && args[at + 1] === email;
  }

  /** Path of the link that the operator gets for a user who has no password. */
  async passwordLink(email: string): Promise<string> {
    const words = ["user", "reset", email, "--data", this.data];
    const options = { cwd: this.data, env: withoutSettings(process.env) };
    return linkIn((await promisify(execFile)(this.binary, words, options)).stdout);
  }

  /** Starts, or starts again where it was: same data, same port. */
  async start(): Promise<void> {
    if (this.child) throw new Error("the server is running already");
    const child = spawn(
      this.binary,
      [
        "serve",
        "--listen",
        `127.0.0.1:${this.port}`,
        "--data",
        this.data,
        "--clock",
        this.options.clock,
        ...this.options.args,
      ],
      // A folder and an environment without settings: only the test's own count.
      { stdio: ["ignore", "pipe", "pipe"], cwd: this.data, env: withoutSettings(process.env) },
    );
    this.child = child;
    const address = this.waitFor(ADDRESS, START_LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) this.listen(stream);
    const ended = once(child, "exit").then(([code, signal]) => {
      throw new Error(`the server ended (${code ?? signal}) before it listened:\n${this.output}`);
    });
    ended.catch(() => undefined);
    const found = await Promise.race([address, ended]);
    this.port = Number(found[1]);
  }

  /** Asks it to end and waits until it did. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** `kill -9`: no chance to save anything. */
  async crash(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Stops it and removes its data. */
  async destroy(): Promise<void> {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  /** The first line, from now on, that the pattern is found in. */
  waitFor(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.listeners.delete(look);
        reject(new Error(`no ${pattern} within ${limitMs} ms in:\n${this.output}`));
      }, limitMs);
      const look = (line: string) => {
        const found = pattern.exec(line);
        if (!found) return;
        clearTimeout(limit);
        this.listeners.delete(look);
        resolve(found);
      };
      this.listeners.add(look);
    });
  }

  protected async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  protected listen(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        this.lines.push(line);
        for (const listener of [...this.listeners]) listener(line);
      }
      this.lines.splice(0, this.lines.length - KEPT_LINES);
    });
  }
}

/** The site of compose.yaml, told by `cargo xtask site` what to do. */
class Site extends Server {
  constructor(options: ServerOptions, data: string) {
    super(findXtask(), options, data);
  }

  override async start(): Promise<void> {
    const address = this.waitFor(ADDRESS, SITE_START_LIMIT_MS);
    if (this.child) {
      this.child.stdin?.write("start\n");
    } else {
      const how = TOPOLOGY === "processes" ? ["--processes"] : [];
      const child = spawn(findXtask(), ["site", "--built", ...how, ...this.settings()], {
        stdio: ["pipe", "pipe", "pipe"],
        env: withoutSettings(process.env),
      });
      this.child = child;
      for (const stream of [child.stdout, child.stderr]) this.listen(stream);
    }
    this.port = Number((await address)[1]);
  }

  override async crash(): Promise<void> {
    this.child?.stdin?.write("kill\n");
  }

  override async passwordLink(email: string): Promise<string> {
    const printed = this.waitFor(LINK, STOP_LIMIT_MS);
    this.child?.stdin?.write(`reset ${email}\n`);
    return linkIn((await printed).input);
  }

  override async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
  }

  /** The flags of `tickhall serve` as variables. */
  private settings(): string[] {
    const words = ["--clock", this.options.clock, ...this.options.args];
    const settings = [];
    for (let at = 0; at + 1 < words.length; at += 2) {
      const name = (words[at] ?? "").replace(/^--/, "").replaceAll("-", "_").toUpperCase();
      settings.push(`TICKHALL_${name}=${words[at + 1] ?? ""}`);
    }
    return settings;
  }
}

function linkIn(text: string): string {
  const found = LINK.exec(text);
  if (!found) throw new Error(`no link in ${text}`);
  return found[0];
}

function findXtask(): string {
  const named = process.env["TICKHALL_XTASK"];
  if (!named) throw new Error("use `cargo xtask smoke`, which says where it is");
  return named;
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("TICKHALL_")));
}

/** `cargo xtask` names the binary; by hand, the one last built is taken. */
function findBinary(): string {
  const named = process.env["TICKHALL_BIN"];
  const built = fileURLToPath(new URL("../../target/suite/tickhall", import.meta.url));
  const binary = named ?? built;
  if (!existsSync(binary)) {
    throw new Error(`${binary} does not exist: use \`cargo xtask e2e\`, which builds it`);
  }
  return binary;
}
