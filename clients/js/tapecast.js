/*
 * tapecast: listens to streams as an EventSource does, and publishes to them. No dependencies.
 *
 * Promise every event once and in its stream's order, over cut connections, new tokens and closed
 *         tabs; what cannot be given is told as "gap". Publishing again never makes two events.
 * Bound   RECENT ids are remembered, and an answer's line may be as long as the server's events.
 */
const CONNECTING = 0, OPEN = 1, CLOSED = 2;
const SILENCE_MS = 45000; /* the server says something every 15 s */
const RETRY_MS = 2000, RETRY_MAX_MS = 30000, TRIES = 5;
const RECENT = 1000;

const sleep = (ms, signal) => new Promise(wake => {
	const timer = setTimeout(wake, ms);
	signal?.addEventListener("abort", () => (clearTimeout(timer), wake()), { once: true });
});

/* What a server refused, as an Error with its status and what it said. */
async function refusal(response) {
	const problem = await response.json().catch(() => ({}));
	const text = problem.detail ?? problem.title ?? response.statusText;
	return Object.assign(new Error(text), { status: response.status, code: problem.code });
}

const retryAfterMs = response => 1000 * (parseFloat(response.headers.get("Retry-After")) || 0);
/* It passes by itself, or the network has said nothing at all. */
const passes = status => !status || status === 429 || status >= 500;

/* A token that is a text, or what a function gives: called anew when the last one is no good. */
class Keeper {
	constructor(token, credentials) {
		this.token = token;
		this.credentials = credentials;
	}

	renew() {
		this.known = undefined;
		return typeof this.token === "function";
	}

	async fetch(url, { headers, ...options }) {
		for (let first = true; ; first = false) {
			this.known ??= typeof this.token === "function" ? await this.token() : this.token;
			const authorization = this.known ? { Authorization: "Bearer " + this.known } : {};
			const response = await fetch(url, { ...options, cache: "no-store",
				credentials: this.credentials, headers: { ...headers, ...authorization } });
			if (response.status !== 401 || !this.renew() || !first)
				return response;
		}
	}
}

export class Tapecast extends EventTarget {
	#keeper;
	#base;
	#query;
	#options;
	#channel;
	#leads = false;
	#recent = new Set();
	#over = new AbortController();
	#retryMs = RETRY_MS;

	/* url: the server's. options: streams (a name, or up to 64), from, lastEventId, token (a text,
	 * or a function that gives one), shared (one connection for all tabs), withCredentials. */
	constructor(url, options = {}) {
		super();
		this.#base = String(url).replace(/\/+$/, "");
		this.#options = options;
		this.#keeper = new Keeper(options.token, options.withCredentials ? "include" : "same-origin");
		this.#query = new URLSearchParams([options.streams ?? []].flat().map(s => ["stream", s]));
		this.url = `${this.#base}/v1/events?${this.#query}`;
		this.withCredentials = !!options.withCredentials;
		this.lastEventId = options.lastEventId ?? "";
		this.readyState = CONNECTING;
		for (const type of ["open", "message", "error", "gap", "end"])
			this.addEventListener(type, event => this["on" + type]?.(event));
		if (!String(this.#query))
			this.readyState = CLOSED; /* it only publishes */
		else if (options.shared && globalThis.BroadcastChannel && globalThis.navigator?.locks)
			this.#share();
		else
			this.#follow();
	}

	close() {
		this.readyState = CLOSED;
		this.#over.abort();
		this.#channel?.close();
	}

	/* Gives {stream, id}. Data that are no text go as JSON. Sent again until it is known to stand. */
	async publish(stream, data, { idem, ...options } = {}) {
		const path = stream.split("/").map(encodeURIComponent).join("/");
		const plain = typeof data === "string";
		const headers = { "Content-Type": plain ? "text/plain" : "application/json" };
		if (!options.ephemeral)
			headers["Idempotency-Key"] = idem ??
				crypto.getRandomValues(new Uint32Array(4)).join("-");
		else
			options.ephemeral = 1;
		const query = new URLSearchParams(
			Object.entries(options).filter(([, value]) => value !== undefined && value !== false));
		for (let left = TRIES; ; ) {
			let error, waitMs = 0;
			try {
				const response = await this.#keeper.fetch(
					`${this.#base}/v1/streams/${path}?${query}`,
					{ method: "POST", headers, body: plain ? data : JSON.stringify(data) });
				if (response.ok)
					return await response.json();
				waitMs = retryAfterMs(response);
				error = await refusal(response);
			} catch (failed) {
				error = failed;
			}
			if (!--left || options.ephemeral || !passes(error.status))
				throw error;
			await sleep(waitMs || RETRY_MS * Math.random());
		}
	}

	/* One tab holds the lock and listens; the others hear what it hears, until one takes over. */
	#share() {
		const name = "tapecast " + this.url;
		this.#channel = new BroadcastChannel(name);
		this.#channel.onmessage = ({ data }) => {
			if (data.asks && this.#leads && this.readyState === OPEN)
				this.#channel.postMessage({ type: "open", state: OPEN, id: this.lastEventId });
			else if (data.type)
				this.#hear(data);
		};
		this.#channel.postMessage({ asks: true });
		navigator.locks.request(name, { signal: this.#over.signal }, () => {
			this.#leads = true;
			return this.#follow();
		}).catch(() => {}); /* closed while it waited */
	}

	/* Told to the other tabs, and here. */
	#say(said) {
		if (this.#leads)
			this.#channel?.postMessage(said);
		this.#hear(said);
	}

	#hear({ type, state, id, event, ...more }) {
		if (this.readyState === CLOSED || (type === "open" && state === this.readyState))
			return;
		this.readyState = state ?? this.readyState;
		this.lastEventId = id || this.lastEventId;
		if (event?.id) { /* a tab that takes over may be given what others have heard */
			const mark = event.stream + " " + event.id;
			if (this.#recent.has(mark))
				return;
			this.#recent.add(mark);
			if (this.#recent.size > RECENT)
				this.#recent.delete(this.#recent.values().next().value);
		}
		const told = event ? new MessageEvent(type, { data: event.data, origin: this.#base,
			lastEventId: this.lastEventId }) : new Event(type);
		const { data, type: _, ...rest } = event ?? more;
		this.dispatchEvent(Object.assign(told, rest));
		if (state === CLOSED)
			this.close();
	}

	async #follow() {
		for (let failed = 0; this.readyState !== CLOSED; ) {
			let waitMs = 0;
			try {
				const response = await this.#listen();
				if (!response) {
					failed = 0;
				} else if (response.status === 204) {
					return this.#say({ type: "end", state: CLOSED });
				} else {
					waitMs = retryAfterMs(response);
					throw await refusal(response);
				}
			} catch (error) {
				if (this.readyState === CLOSED)
					return;
				const state = passes(error.status) ? CONNECTING : CLOSED;
				this.#say({ type: "error", state, message: error.message, status: error.status,
					code: error.code });
				if (error.opened)
					failed = 0;
				waitMs ||= Math.min(this.#retryMs * 2 ** failed++, RETRY_MAX_MS) *
					(0.5 + Math.random() / 2);
			}
			await sleep(waitMs, this.#over.signal);
		}
	}

	/* A response that is no stream; nothing: listen again at once, with a new token. */
	async #listen() {
		const query = new URLSearchParams(this.#query);
		if (this.#options.from)
			query.set("from", this.#options.from);
		if (this.lastEventId)
			query.set("after", this.lastEventId);
		const cut = new AbortController();
		const stop = () => cut.abort();
		this.#over.signal.addEventListener("abort", stop);
		let timer = setTimeout(stop, SILENCE_MS), opened = false;
		try {
			const response = await this.#keeper.fetch(`${this.#base}/v1/events?${query}`,
				{ headers: { Accept: "text/event-stream" }, signal: cut.signal });
			if (response.status !== 200)
				return response;
			const reader = response.body.getReader(), decoder = new TextDecoder();
			for (let rest = "", block = {}; ; ) {
				const { value, done } = await reader.read();
				if (done)
					throw new Error("the server has closed the connection");
				clearTimeout(timer);
				timer = setTimeout(stop, SILENCE_MS);
				const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
				rest = lines.pop();
				for (const line of lines) {
					const colon = line.indexOf(":");
					const field = line.slice(0, colon);
					if (field === "retry")
						this.#retryMs = +line.slice(colon + 1) || this.#retryMs;
					else if (line)
						block[field] = line.slice(colon + 2);
					if (line || block.data === undefined)
						continue;
					opened = true;
					if (this.#take(block))
						return undefined;
					block = {};
				}
			}
		} catch (error) {
			throw Object.assign(error, { opened });
		} finally {
			clearTimeout(timer);
			this.#over.signal.removeEventListener("abort", stop);
			cut.abort();
		}
	}

	/* True: the token's time is nearly over, and a new one may be had. */
	#take({ event: type = "", data, id }) {
		const said = JSON.parse(data);
		if (type === "tapecast.auth")
			return this.#keeper.renew();
		if (type === "tapecast.open")
			this.#say({ type: "open", state: OPEN, id, ...said });
		else if (type.startsWith("tapecast."))
			this.#say({ ...said, id, end: said.state, state: undefined, type: type.slice(9) });
		else
			this.#say({ type: type || "message", id, event: said });
		return false;
	}
}

for (const kind of [Tapecast, Tapecast.prototype])
	Object.assign(kind, { CONNECTING, OPEN, CLOSED });
