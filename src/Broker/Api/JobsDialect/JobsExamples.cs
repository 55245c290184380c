namespace Broker.Api.JobsDialect;

/// <summary>An example for each wire type of the same name.</summary>
internal static class JobsExamples
{
    public const string NewWorkflowDto = """
        {"name":"Release","trigger":"on: push","jobs":[
          {"id":"compile","name":"Compile","status":"queued","command":"make all","depends_on":[],"max_retries":1},
          {"id":"publish","name":"Publish it","status":"queued","command":"./upload","depends_on":["compile"],"required_labels":["linux"]}]}
        """;

    public const string WorkflowFile = """
        name: Release
        on: workflow_dispatch
        jobs:
          compile: { run: make all, retries: 1 }
          publish: { needs: compile, labels: [linux], run: ./upload }
        """;

    public const string WorkflowDto = """
        {"id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10","name":"Release","trigger":"on: push","jobs":[
          {"id":"compile","name":"Compile","status":"running","command":"make all","depends_on":[],"duration_secs":null,"started_at":1769000000450,
           "output":null,"required_labels":[],"max_retries":1,"attempt":0,"metadata":{},"ports":[],"children":null,"collapsed":false}]}
        """;

    public const string RunRequestDto = """{"inputs":{"channel":"beta","dry_run":false},"if_active":"reject","tags":{"commit":"3c1f"},"delay_ms":60000}""";

    public const string CancelRequestDto = """{"grace_ms":30000}""";

    public const string RunStartedDto = """
        {"run":3,"instance_id":"release","joined":false,"status_url":"/api/workflows/release/status?run=3"}
        """;

    public const string JobRunDto = """
        {"status":"failure","workflow_id":"release","instance_id":"release","run":3,"inputs":{"channel":"beta"},"tags":{},"start_at":null,"started_at":1769000000450,
         "ended_at":1769000007000,"error":"exit code 2: no rule to make target","jobs":[{"id":"compile","status":"failure","attempt":1,
         "error":"exit code 2: no rule to make target","logs":"/api/workflows/release/jobs/compile/logs?run=3","summary":"/api/workflows/release/jobs/compile/summary?run=3",
         "attempts":[{"attempt":0,"outcome":"timed_out","worker_id":"w-1","started_at":1769000000450,"ended_at":1769000003450,
         "error":{"name":"AttemptTimedOut","message":"the attempt took longer than 3000 ms","exit_code":null}}]}]}
        """;

    public const string RunAttemptDto = """
        {"attempt":0,"outcome":"failed","worker_id":"w-1","started_at":1769000000450,"ended_at":1769000003450,
         "error":{"name":"Error","message":"exit code 2: no rule to make target","exit_code":2}}
        """;

    public const string RunAttemptErrorDto = """{"name":"Error","message":"exit code 2: no rule to make target","exit_code":2}""";

    public const string CancelledRunsDto = """{"cancelled":[{"instance_id":"release","run":3}]}""";

    public const string WorkflowFileDto = """
        {"workflow_id":"release","file":"release.yml","folder":"/data/workflows","version":null,
         "error":"release.yml:9: jobs.publish.needs: 'publish' needs 'compile', and this file has no such job","changed_at_ms":1769000000000}
        """;

    public const string NewWorkerDto = """{"worker_id":"w-1","labels":["linux","arm64"]}""";

    public const string LabelledWorkerDto = """
        {"worker_id":"w-1","labels":["linux","arm64"],"registered_at_ms":1769000000000,"last_heartbeat_ms":1769000000450,"current_job":"pack","status":"busy"}
        """;

    public const string ClaimDto = """{"worker_id":"w-1","labels":["linux","arm64"],"lease_ttl_secs":30}""";

    public const string ClaimedJobDto = """
        {"job":{"job_id":"pack","workflow_id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10","command":"make pack","required_labels":["arm64"],
         "retry_policy":{"max_retries":1,"backoff":"None"},"attempt":0,"upstream_outputs":{"compile":{"version":"7.1"},"check":{}},
         "enqueued_at_ms":1769000000000,"delayed_until_ms":0,"inputs":{"channel":"beta"},"run":3,"instance_id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10"},
         "lease":{"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071","job_id":"pack","workflow_id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10",
         "worker_id":"w-1","ttl_secs":30,"granted_at_ms":1769000000450}}
        """;

    public const string JobStepDto = """{"name":"Sign","run":"./sign","env":{"KEY":"k1"}}""";

    public const string JobOutputsDto = """{"outputs":{"artifact_url":"s3://bucket/build.tar.gz"},"summary":"## 214 tests passed\n"}""";

    public const string JobFailureDto = """{"error":"exit code 1: compilation failed","retryable":true}""";

    public const string CompleteJobsDto = """
        {"results":[{"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071","outputs":{"version":"7.1"}},
         {"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6072","error":"exit code 1","retryable":true}],
         "claim":{"worker_id":"w-1","labels":["linux"],"count":16}}
        """;

    public const string CompletedJobsDto = """
        {"results":[{"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071","accepted":true,"verdict":"accepted"},
         {"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6072","accepted":false,"verdict":"stale"}],"claimed":[]}
        """;

    public const string LeaseIdsDto = """{"lease_ids":["0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071"]}""";

    public const string RenewedLeasesDto = """
        {"results":[{"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071","alive":true,"cancelled":false,"paused":false,"lost":false}]}
        """;

    public const string RenewedLeaseDto = """
        {"lease_id":"0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071","alive":true,"cancelled":false,"paused":true,"lost":false}
        """;

    public const string JobPostponementDto = """{"delay_ms":60000}""";

    public const string JobProgressDto = """{"progress":{"page":12}}""";

    public const string LogChunksDto = """
        {"chunks":[{"workflow_id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10","job_id":"pack","sequence":4,"data":"linking\n",
         "timestamp_ms":1769000001000,"stream":"stdout"}]}
        """;

    public const string LogChunkDto = """
        {"workflow_id":"5b1c7b7e-3d0f-4b43-9a55-0f6a4d2f4f10","job_id":"pack","sequence":4,"data":"linking\n",
         "timestamp_ms":1769000001000,"stream":"stdout"}
        """;

    public const string JobsErrorDto = """
        {"error":"jobs[1].id: 'compile' is there twice","field":"jobs[1].id","problems":[{"field":"jobs[1].id","message":"'compile' is there twice"}]}
        """;
}
