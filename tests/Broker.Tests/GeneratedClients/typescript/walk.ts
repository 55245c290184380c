// Calls every operation of /openapi.json with the generated client. Each answer is written as a line of JSON, which the test compares with the document.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Claimed = components["schemas"]["JobsClaimedJob"];
type Assignment = components["schemas"]["BrokerStepAssignment"];

const baseUrl = process.argv[2];
const api = createClient<paths>({ baseUrl });

const report: Middleware = {
  async onResponse({ request, response, schemaPath }) {
    const type = response.headers.get("content-type")?.split(";")[0] ?? null;
    const body = type === null || type === "text/event-stream" ? "" : await response.clone().text();
    const answer = {
      method: request.method, template: schemaPath, path: new URL(request.url).pathname, status: response.status, type,
      headers: [...response.headers.keys()], body,
    };
    console.log(JSON.stringify(answer));
    return undefined;
  },
};
api.use(report);

/** The answer, if it has the status; else the walk ends. */
function want<T>(answer: { data?: T; response: Response }, status = 200): T {
  if (answer.response.status !== status) throw new Error(`${answer.response.url}: ${answer.response.status}, expected ${status}`);
  return answer.data as T;
}

function one<T>(items: readonly T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error("the list is empty");
  return first;
}

async function jobs(): Promise<void> {
  want(await api.POST("/api/workflows/sample"), 201);
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const made = want(await api.POST("/api/workflows", {
    body: {
      name: "typescript", trigger: "push",
      inputs: { channel: { type: "choice", options: ["beta", "stable"], default: "beta" } },
      timeouts: { run_ms: 3_600_000 },
      jobs: names.map((id) => ({
        id, name: id, command: "make", required_labels: ["ts"], when: "success", timeouts: { attempt_ms: 600_000 },
        retry_policy: { max_retries: 1, backoff: { Exponential: { base_secs: 1, max_secs: 60 } }, retry_on: [75, "timeout"] },
      })),
    },
  }), 201);
  const id = made.id;
  one(want(await api.GET("/api/workflows", { params: { query: { limit: 10, offset: 0, status: "queued" } } })));
  want(await api.GET("/api/workflow-files", { params: { query: { limit: 5 } } }));
  const started = want(await api.POST("/api/workflows/{id}/run", {
    params: { path: { id }, header: { "Idempotency-Key": "typescript" } },
    body: { inputs: { channel: "stable" }, tags: { commit: "3c1f", number: 7 }, if_active: "join", priority: 1 },
  }), 202);
  if (!("joined" in started) || started.joined) throw new Error("the run was joined");

  want(await api.POST("/api/workers/register", { body: { worker_id: "ts", labels: ["ts"] } }));
  want(await api.POST("/api/workers/{id}/heartbeat", { params: { path: { id: "ts" } } }));
  if (one(want(await api.GET("/api/workers"))).status !== "idle") throw new Error("the worker is not idle");

  const claim = { worker_id: "ts", labels: ["ts"], lease_ttl_secs: 60 };
  const first = want(await api.POST("/api/jobs/claim", { body: claim }));
  if (first === null || Array.isArray(first)) throw new Error("expected one job");
  const rest = want(await api.POST("/api/jobs/claim", { body: { ...claim, count: 10, claim_id: "rest" } }));
  if (!Array.isArray(rest)) throw new Error("expected an array");
  if (want(await api.POST("/api/jobs/claim", { body: claim })) !== null) throw new Error("expected null");
  const [b, c, d, e, f, g] = rest.map((claimed: Claimed) => claimed.lease.lease_id) as [string, string, string, string, string, string];
  const lease = first.lease.lease_id;
  const backoff = first.job.retry_policy.backoff;
  if (backoff === "None" || !("Exponential" in backoff) || backoff.Exponential.max_secs !== 60) throw new Error("another backoff");

  want(await api.POST("/api/jobs/heartbeat", { body: { lease_ids: [lease, "none"], progress: { [lease]: { page: 1 } } } }));
  want(await api.POST("/api/jobs/{lease}/heartbeat", { params: { path: { lease } }, body: { progress: 12 }, headers: { Accept: "application/json" } }));
  const chunk = { workflow_id: first.job.workflow_id, job_id: first.job.job_id, sequence: 1, data: "x\n", timestamp_ms: 1, stream: "stdout" } as const;
  want(await api.POST("/api/jobs/{lease}/logs", { params: { path: { lease } }, body: { chunks: [chunk] } }));
  const log = { workflow: first.job.workflow_id, job: first.job.job_id };
  if (one(want(await api.GET("/api/workflows/{workflow}/jobs/{job}/logs", { params: { path: log, query: { run: 0 } } }))).run !== 0) throw new Error("another run");
  const stream = await api.GET("/api/workflows/{workflow}/jobs/{job}/logs/stream", { params: { path: log }, parseAs: "stream" });
  await (want(stream) as unknown as ReadableStream).cancel();
  want(await api.GET("/api/jobs/{workflow}/{job}/cancelled", { params: { path: log } }));
  want(await api.POST("/api/jobs/{lease}/complete", { params: { path: { lease } }, body: { outputs: { version: "7.1" }, summary: "## done" } }));
  if (want(await api.GET("/api/workflows/{workflow}/jobs/{job}/summary", { params: { path: log }, parseAs: "text" })) !== "## done") throw new Error("another summary");
  want(await api.GET("/api/workflows/{workflow}/jobs/{job}/summary", { params: { path: { ...log, job: rest[0]!.job.job_id } }, parseAs: "text" }), 204);
  want(await api.POST("/api/jobs/{lease}/fail", { params: { path: { lease: b } }, body: { error: "exit code 1", retryable: false, exit_code: 1 } }));
  want(await api.POST("/api/jobs/{lease}/fail", { params: { path: { lease: "none" } }, body: { error: "late" } }), 409);
  want(await api.POST("/api/jobs/{lease}/postpone", { params: { path: { lease: c } }, body: { delay_ms: 60_000 } }));
  want(await api.POST("/api/jobs/{lease}/release", { params: { path: { lease: d } } }));
  const batch = want(await api.POST("/api/jobs/complete", {
    body: { results: [{ lease_id: e, outputs: {} }, { lease_id: f, error: "exit code 2" }, { lease_id: "none" }], claim: { ...claim, count: 5 } },
  }));
  if (batch.results[2]?.verdict !== "stale" || batch.claimed.length !== 1) throw new Error("other verdicts");
  want(await api.GET("/api/workflows/{id}/status", { params: { path: { id } } }));
  want(await api.GET("/api/workflows/{id}/status", { params: { path: { id }, query: { run: 0 } }, headers: { Accept: "application/json" } }));
  want(await api.GET("/api/workflows/{id}/badge.svg", { params: { path: { id } }, parseAs: "text" }));
  const cancelled = want(await api.POST("/api/workflows/{id}/cancel", { params: { path: { id } }, body: { grace_ms: 0 }, headers: { Accept: "application/json" } }), 202);
  if (one(cancelled.cancelled).run !== 0) throw new Error("another run was cancelled");
  want(await api.GET("/api/workflows/{id}/status", { params: { path: { id }, query: { wait: 0 } } }), 410);
  want(await api.POST("/api/jobs/{lease}/complete", { params: { path: { lease: g } }, body: {} }));
  want(await api.POST("/api/workers/{id}/heartbeat", { params: { path: { id: "nobody" } } }), 404);
}

async function broker(): Promise<void> {
  want(await api.POST("/repository/register", { body: { name: "ts", url: "https://example.com/ts.git", workflows: ["a:b"], credentials: { token: "t" } } }), 204);
  const repository = want(await api.GET("/repository", { params: { query: { name: "ts" } } }));
  if (repository === undefined || Array.isArray(repository) || repository.workflows[0] !== "a:b") throw new Error("expected one repository");
  if (!Array.isArray(want(await api.GET("/repository", { params: { query: { page: 1, page_size: 5 } } })))) throw new Error("expected a list");
  one(want(await api.GET("/broker/workflows")));

  const step = (name: string) => ({ name, successors: {}, predecessors: [], or_groups: {}, policies: [], retries: { limit: 1, delay_ms: 5, backoff: "linear" as const } });
  const workflow = { workflow_id: "ts-steps", version: "1", steps: { one: step("one"), two: step("two"), three: { ...step("three"), accepts: ["go"] } }, outputs: ["one"], policies: [] };
  const worker_id = want(await api.POST("/worker/register", { body: [workflow] }));
  want(await api.GET("/workflow/step", { params: { query: { worker_id } } }), 204);
  want(await api.POST("/workflow/dispatch", { body: { workflow, inputs: { customer: 12 }, priority: 1 } }));
  const claimed = want(await api.GET("/workflow/step", { params: { query: { worker_id, extras: true, wait: 0.5 } } }));
  if (claimed === undefined || Array.isArray(claimed)) throw new Error("expected one step");
  const more = want(await api.GET("/workflow/step", { params: { query: { worker_id, count: 5 } } }));
  if (!Array.isArray(more) || more.length !== 2) throw new Error("expected two steps");
  const key = ({ workflow_id, instance_id, step_name }: Assignment) => ({ workflow_id, instance_id, step_name });
  const [second, third] = more as [Assignment, Assignment];
  const beats = want(await api.POST("/workflow/step/heartbeat", { params: { query: { worker_id } }, body: [{ ...key(claimed), progress: [1] }] }));
  if (one(beats).verdict !== "renewed") throw new Error("not renewed");
  want(await api.POST("/workflow/step/events", { params: { query: { worker_id } }, body: { ...key(claimed), events: [{ type: "Progress", value: { percent: 40 } }] } }), 204);
  want(await api.POST("/workflow/step/release", { params: { query: { worker_id } }, body: key(third) }), 204);
  want(await api.POST("/workflow/step", {
    params: { query: { worker_id } },
    body: { ...key(claimed), state: "SUCCEEDED", result: { ok: true }, logs: [{ level: "info", message: "done" }] },
  }), 204);
  const both = want(await api.POST("/workflow/step", { params: { query: { worker_id, claim: 1 } }, body: { ...key(second), state: "FAILED", result: "broken" } }));
  if (both === undefined || Array.isArray(both) || both.assignments.length !== 1) throw new Error("expected results and assignments");
  const verdicts = want(await api.POST("/workflow/step", { params: { query: { worker_id } }, body: [{ ...key(third), state: "SUCCEEDED", result: 1 }] }));
  if (!Array.isArray(verdicts) || one(verdicts).verdict !== "accepted") throw new Error("expected verdicts");
  want(await api.POST("/worker/keep-alive", { params: { query: { worker_id } } }), 204);
  want(await api.POST("/worker/keep-alive", { params: { query: { worker_id: "nobody" } } }), 404);
  if (one(want(await api.GET("/workers"))).last_task?.success !== true) throw new Error("another last task");
  want(await api.GET("/status"));
}

/** Registers a workflow that waits for an event, and one without steps. */
async function waits(): Promise<void> {
  const bare = { successors: {}, predecessors: [], or_groups: {}, policies: [] };
  want(await api.POST("/worker/register", {
    body: [
      { workflow_id: "ts-waits", version: "1", steps: { ask: { ...bare, name: "ask", kind: "waitForEvent", event: "go", timeout_ms: 60_000 } }, events: { go: { types: ["HumanResponseEvent"] } } },
      { workflow_id: "ts-empty", version: "1", steps: {} },
    ],
  }));
}

async function handlers(): Promise<void> {
  if (want(await api.GET("/health")).status !== "healthy") throw new Error("not healthy");
  want(await api.GET("/workflows"));
  const name = "ts-waits";
  want(await api.GET("/workflows/{name}/schema", { params: { path: { name } } }));
  want(await api.GET("/workflows/{name}/events", { params: { path: { name } } }));
  want(await api.GET("/workflows/{name}/representation", { params: { path: { name } } }));
  if (want(await api.POST("/workflows/{name}/run", { params: { path: { name: "ts-empty" } }, body: { start_event: {} } })).status !== "completed") throw new Error("not completed");
  const start = async () => want(await api.POST("/workflows/{name}/run-nowait", { params: { path: { name } }, body: {} })).handler_id;
  const handler_id = await start();
  const path = { handler_id };
  want(await api.GET("/handlers", { params: { query: { status: ["running", "completed"], workflow_name: [name], limit: 5 } } }));
  want(await api.GET("/handlers/{handler_id}", { params: { path } }), 202);
  want(await api.GET("/results/{handler_id}", { params: { path } }), 202);
  want(await api.POST("/events/{handler_id}", { params: { path }, body: { event: { type: "go", value: {} } } }));
  want(await api.GET("/handlers/{handler_id}", { params: { path } }));
  want(await api.GET("/results/{handler_id}", { params: { path } }));
  want(await api.GET("/events/{handler_id}", { params: { path, query: { sse: false, include_internal: true, acquire_timeout: 0.5 } }, parseAs: "text" }));
  want(await api.GET("/events/{handler_id}", { params: { path, query: { sse: false } }, parseAs: "text" }), 204);
  want(await api.POST("/handlers/{handler_id}/cancel", { params: { path: { handler_id: await start() }, query: { purge: true } } }));
  want(await api.GET("/results/{handler_id}", { params: { path: { handler_id: "nobody" } }, parseAs: "text" }), 404);
}

async function instances(): Promise<void> {
  const workflowName = "ts-waits";
  const all = "/api/workflows/workflows/{workflowName}/instances" as const;
  want(await api.GET("/api/workflows/workflows"));
  const instanceId = want(await api.POST(all, { params: { path: { workflowName } }, body: { id: "ts-1", params: { n: 1 } } })).id;
  want(await api.POST(`${all}/batch`, { params: { path: { workflowName } }, body: { instances: [{ id: "ts-2" }, { id: "ts-3" }] } }));
  want(await api.GET(all, { params: { path: { workflowName }, query: { status: "waiting", pageSize: 2 } } }));
  const path = { workflowName, instanceId };
  if (want(await api.GET(`${all}/{instanceId}`, { params: { path } })).meta.currentStep?.type !== "waitForEvent") throw new Error("no wait");
  want(await api.GET(`${all}/{instanceId}/history`, { params: { path, query: { includeLogs: true, order: "asc", runNumber: 0 } } }));
  want(await api.POST(`${all}/{instanceId}/pause`, { params: { path } }));
  want(await api.POST(`${all}/{instanceId}/resume`, { params: { path } }));
  want(await api.POST(`${all}/{instanceId}/events`, { params: { path }, body: { type: "go", payload: { x: 1 } } }));
  want(await api.POST(`${all}/{instanceId}/restart`, { params: { path } }));
  want(await api.POST(`${all}/{instanceId}/terminate`, { params: { path } }));
  want(await api.POST(`${all}/{instanceId}/terminate`, { params: { path } }), 409);
  want(await api.GET(`${all}/{instanceId}`, { params: { path: { workflowName, instanceId: "nobody" } } }), 404);
  want(await api.POST("/api/workflows/_runner/tick", { body: { maxInstances: 1 } }));
}

async function operators(): Promise<void> {
  const v1 = "/api/v1" as const;
  if (!want(await api.GET(`${v1}/me`)).anonymous) throw new Error("a key is required");
  const workflow = "ts-waits";
  const run = `${v1}/runs/{workflow}/{instance}` as const;
  const path = { workflow, instance: "ops" };
  want(await api.POST(`${v1}/workflows/{workflow}/runs`, { params: { path: { workflow } }, body: { instance: "ops", if_exists: "fail", tags: { a: 1 } } }), 201);
  want(await api.POST(`${v1}/workflows/{workflow}/runs`, { params: { path: { workflow } }, body: { instance: "ops", if_exists: "attach" } }));
  want(await api.GET(`${v1}/runs`, { params: { query: { where: "workflow=ts-waits", limit: 1, order: "oldest" } } }));
  want(await api.GET(`${v1}/runs/count`, { params: { query: { max: 5 } } }));
  if (want(await api.GET(run, { params: { path } })).status !== "waiting") throw new Error("not waiting");
  const step = one(want(await api.GET(`${run}/steps`, { params: { path } })).items).name;
  want(await api.GET(`${run}/states`, { params: { path } }));
  if (one(want(await api.GET(`${run}/steps/{step}`, { params: { path: { ...path, step } } })).causes).code !== "waiting_for_event") throw new Error("another cause");
  want(await api.GET(`${run}/steps/{step}/attempts`, { params: { path: { ...path, step } } }));
  want(await api.GET(`${run}/steps/{step}/items`, { params: { path: { ...path, step }, query: { status: "failed", limit: 5 } } }), 404);
  want(await api.GET(`${run}/explain`, { params: { path } }));
  want(await api.GET(`${run}/events`, { params: { path, query: { direction: "out", internal: true } } }));
  want(await api.GET(`${run}/logs`, { params: { path, query: { stream: "stdout", after: 0 } } }));
  want(await api.GET(`${run}/logs`, { params: { path, query: { format: "text" } }, parseAs: "text" }));
  want(await api.GET(`${run}/logs/find`, { params: { path, query: { q: "x", case: true } } }));
  want(await api.GET(`${v1}/workflows`, { params: { query: { q: "ts" } } }));
  const { fingerprint } = want(await api.GET(`${v1}/workflows/{workflow}`, { params: { path: { workflow } } }));
  want(await api.GET(`${v1}/definitions/{fingerprint}/graph`, { params: { path: { fingerprint } } }));
  want(await api.GET(`${v1}/workflows/{workflow}/versions`, { params: { path: { workflow } } }));
  want(await api.GET(`${v1}/waiting`, { params: { query: { for: "people", overdue: false } } }));
  want(await api.GET(`${v1}/queues`));
  const worker = one(want(await api.GET(`${v1}/workers`, { params: { query: { status: "fresh", busy: false } } })).items).id;
  want(await api.GET(`${v1}/workers/{worker}`, { params: { path: { worker } } }));
  want(await api.GET(`${v1}/explain`));
  want(await api.GET(`${v1}/audit`, { params: { query: { limit: 3 } } }));
  want(await api.PUT(`${run}/tags`, { params: { path }, body: { branch: "main", attempt: 3 } }));
  want(await api.POST(`${run}/pause`, { params: { path }, body: { reason: "a walk" } }));
  want(await api.POST(`${run}/resume`, { params: { path }, body: {} }));
  want(await api.POST(`${run}/events`, { params: { path }, body: { type: "other", value: {} } }));
  want(await api.POST(`${run}/restart`, { params: { path } }));
  want(await api.POST(`${run}/cancel`, { params: { path }, body: { grace_ms: 0 } }));
  want(await api.POST(`${run}/retry`, { params: { path }, body: { dry_run: true } }));
  want(await api.POST(`${run}/retry`, { params: { path } }), 201);
  want(await api.POST(`${run}/fork`, { params: { path }, body: { events: "drop", dry_run: true } }));
  want(await api.POST(`${run}/fork`, { params: { path }, body: {} }), 201);
  want(await api.POST(`${run}/terminate`, { params: { path } }));
  const refused = await api.POST(`${run}/pause`, { params: { path } });
  if (refused.error?.code !== "not_allowed" || refused.error.run_status !== "cancelled") throw new Error("another problem");
  want(await api.DELETE(run, { params: { path } }));
  want(await api.GET(run, { params: { path } }), 404);
}

async function bulk(): Promise<void> {
  const all = "/api/v1/bulk" as const;
  const plan = want(await api.POST(all, { body: { action: "tag", where: "workflow=ts-waits", args: { tags: { walked: 1 } } } }));
  const path = { bulk: String(plan.id) };
  if (plan.state !== "planned") throw new Error("another state");
  want(await api.POST(`${all}/{bulk}/start`, { params: { path }, body: { confirm: plan.confirm, count: plan.matched.count } }), 202);
  want(await api.GET(all, { params: { query: { limit: 5 } } }));
  want(await api.GET(`${all}/{bulk}`, { params: { path } }));
  want(await api.GET(`${all}/{bulk}/results`, { params: { path } }));
  const started = want(await api.POST(all, { body: { action: "cancel", where: "workflow=ts-waits", rate: 1, dry_run: false } }), 202);
  want(await api.POST(`${all}/{bulk}/stop`, { params: { path: { bulk: String(started.id) } } }));
}

async function webhooks(): Promise<void> {
  const all = "/api/v1/webhooks" as const;
  const made = want(await api.POST(all, { body: { url: "http://hooks.invalid/", events: ["run.failed"] } }), 201);
  const path = { webhook: made.id };
  one(want(await api.GET(all)).items);
  want(await api.GET(`${all}/{webhook}`, { params: { path } }));
  const test = want(await api.POST(`${all}/{webhook}/test`, { params: { path } }), 201);
  want(await api.POST(`${all}/{webhook}/deliveries/{delivery}/replay`, { params: { path: { ...path, delivery: String(test.id) } } }));
  want(await api.GET(`${all}/{webhook}/deliveries`, { params: { path, query: { limit: 5 } } }));
  want(await api.PATCH(`${all}/{webhook}`, { params: { path }, body: { enabled: false } }));
  want(await api.DELETE(`${all}/{webhook}`, { params: { path } }));
}

async function schedules(): Promise<void> {
  const all = "/api/v1/schedules" as const;
  const path = { schedule: "ts-nightly" };
  want(await api.PUT(`${all}/{schedule}`, { params: { path }, body: { workflow: "ts-waits", cron: "0 3 * * *", timezone: "Europe/Berlin", catch_up: { runs: "none" } } }));
  one(want(await api.GET(all, { params: { query: { q: path.schedule } } })).items);
  want(await api.POST(`${all}/{schedule}/pause`, { params: { path }, body: { reason: "a walk" } }));
  want(await api.POST(`${all}/{schedule}/trigger`, { params: { path }, body: {} }), 201);
  want(await api.POST(`${all}/{schedule}/backfill`, { params: { path }, body: { from: "2026-03-28T00:00:00Z", to: "2026-03-30T00:00:00Z", dry_run: true } }));
  want(await api.POST(`${all}/{schedule}/resume`, { params: { path }, body: {} }));
  want(await api.GET(`${all}/{schedule}/next`, { params: { path, query: { count: 5 } } }));
  want(await api.GET(`${all}/{schedule}/history`, { params: { path, query: { status: "started" } } }));
  want(await api.GET(`${all}/{schedule}`, { params: { path } }));
  want(await api.DELETE(`${all}/{schedule}`, { params: { path } }));
}

async function orders(): Promise<void> {
  const v1 = "/api/v1" as const;
  const workflow = "ts-waits";
  for (const action of ["pause-starts", "resume-starts"] as const) want(await api.POST(`${v1}/workflows/{workflow}/${action}`, { params: { path: { workflow } }, body: {} }));
  want(await api.POST(`${v1}/events`, { body: { type: "walk" } }));
  for (const order of ["begin", "end"] as const) want(await api.POST(`${v1}/maintenance/${order}`, { body: {} }));
  const worker = one(want(await api.GET(`${v1}/workers`)).items).id;
  for (const action of ["drain", "undrain", "release"] as const) want(await api.POST(`${v1}/workers/{worker}/${action}`, { params: { path: { worker } }, body: {} }));
  want(await api.PUT(`${v1}/workflows/{workflow}`, { params: { path: { workflow: "ts-file" } }, body: { format: "yaml", text: "name: ts-file\non: workflow_dispatch\njobs: { build: { run: make } }\n" } }));
  want(await api.GET(`${v1}/overview`, { params: { query: { window: "1h" } } }));
  want(await api.GET(`${v1}/failures`));
  want(await api.GET(`${v1}/runs/histogram`, { params: { query: { buckets: 10 } } }));
  want(await api.GET(`${v1}/search`, { params: { query: { q: "ts" } } }));
  want(await api.GET(`${v1}/system`));
  const path = { workflow, instance: "ts-1" };
  for (const what of ["events", "logs"] as const) {
    const stream = await api.GET(`${v1}/runs/{workflow}/{instance}/${what}/stream`, { params: { path }, parseAs: "stream" });
    await (want(stream) as unknown as ReadableStream).cancel();
  }
}

async function hands(): Promise<void> {
  const workflow = "ts-waits";
  const step = "/api/v1/runs/{workflow}/{instance}/steps/{step}" as const;
  const reason = "a walk";
  const at = (instance: string) => ({ path: { workflow, instance, step: "ask" } });
  for (const instance of ["h1", "h2", "h3"]) want(await api.POST("/api/v1/workflows/{workflow}/runs", { params: { path: { workflow } }, body: { instance } }), 201);
  want(await api.POST(`${step}/complete`, { params: at("h1"), body: { value: {}, reason } }));
  want(await api.POST(`${step}/fail`, { params: at("h2"), body: { name: "Stopped", message: "by hand", reason } }));
  want(await api.POST(`${step}/skip`, { params: at("h3"), body: { reason } }));
  want(await api.POST(`${step}/retry-now`, { params: at("h3"), body: { reason } }), 409);
  want(await api.POST(`${step}/release`, { params: at("h3"), body: { reason } }), 409);
  const changes = await api.GET("/api/v1/changes", { params: { query: { topics: "runs" } }, parseAs: "stream" });
  await (want(changes) as unknown as ReadableStream).cancel();
}

/** Last of all: from the first key on the broker asks for keys. */
async function keys(): Promise<void> {
  const made = want(await api.POST("/api/v1/keys", { body: { name: "walk", scopes: ["admin"] } }), 201);
  const headers = { Authorization: `Bearer ${made.key}` };
  one(want(await api.GET("/api/v1/keys", { headers })).items);
  want(await api.GET("/api/v1/sessions", { headers }));
  want(await api.DELETE("/api/v1/sessions/{session}", { params: { path: { session: "absent" } }, headers }), 404);
  want(await api.DELETE("/api/v1/keys/{key}", { params: { path: { key: made.info.id } }, headers }));
}

await jobs();
await broker();
await waits();
await handlers();
await instances();
await operators();
await bulk();
await webhooks();
await schedules();
await orders();
await hands();
want(await api.GET("/livez"));
want(await api.GET("/readyz"));
want(await api.GET("/metrics", { parseAs: "text" }));
await keys();
