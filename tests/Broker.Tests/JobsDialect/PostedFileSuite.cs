using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Workflow files as bodies of <c>POST /api/workflows</c>, and the members of JSON jobs that go beyond the contract.</summary>
public abstract class PostedFileSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Theory]
    [InlineData("application/yaml")]
    [InlineData("application/yaml; charset=utf-8")]
    [InlineData("Application/X-YAML")]
    [InlineData("text/yaml")]
    public async Task A_file_is_a_workflow_that_runs_with_inputs_conditions_and_outputs(string type)
    {
        var defined = await PostAsync("/api/workflows", $$$"""
            name: Release
            on: workflow_dispatch
            inputs:
              target: { required: true }
              notify: { type: boolean, default: true }
            jobs:
              build: { labels: [{{{Label}}}], run: "make ${{ inputs.target }}" }
              ship:
                needs: build
                labels: [{{{Label}}}]
                steps: [ { name: Ship, run: "ship ${{ needs.build.outputs.version }}" } ]
              lint: { labels: [{{{Label}}}], run: lint, continue-on-error: true, if: "!inputs.notify" }
              tell: { needs: [build, ship], labels: [{{{Label}}}], run: tell, if: failure() && inputs.notify }
            """, type);
        Assert.Equal(201, defined.Status);
        var id = (string)defined.Json!["id"]!;
        Assert.Equal(("Release", "on: workflow_dispatch"), ((string)defined.Json["name"]!, (string)defined.Json["trigger"]!));
        Assert.Equal(422, (await PostAsync($"/api/workflows/{id}/run", "{}")).Status);
        Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/run", """{"inputs":{"target":"it's"}}""")).Status);

        var build = (await ClaimAsync())!;
        Assert.Equal("export INPUT_TARGET='it'\\''s' && export INPUT_NOTIFY='true' && make \"${INPUT_TARGET}\"", (string)build["job"]!["command"]!);
        Assert.Equal(200, await CompleteAsync((string)build["lease"]!["lease_id"]!, """{"version":"7 1"}"""));
        var ship = (await ClaimAsync())!;
        Assert.Equal(
            "export INPUT_TARGET='it'\\''s' && export INPUT_NOTIFY='true' && export NEEDS_BUILD_VERSION='7 1' && echo '=== Ship ===' && ship \"${NEEDS_BUILD_VERSION}\"",
            (string)ship["job"]!["command"]!);
        Assert.Equal(("""{"NEEDS_BUILD_VERSION":"7 1"}""", "ship \"${NEEDS_BUILD_VERSION}\""), (ship["job"]!["env"]!.ToJsonString(), (string)ship["job"]!["steps"]![0]!["run"]!));
        Assert.Equal(200, await FailAsync((string)ship["lease"]!["lease_id"]!, retryable: false));
        var tell = (await ClaimAsync())!;
        Assert.Equal("tell", (string)tell["job"]!["job_id"]!);
        Assert.Equal(200, await CompleteAsync((string)tell["lease"]!["lease_id"]!));

        Assert.Equal("build=success ship=failure lint=skipped tell=success", await StatusesAsync(id));
    }

    [Fact]
    public async Task Every_problem_of_a_file_is_answered_with_its_line()
    {
        var answer = await PostAsync("/api/workflows", """
            name: Release
            on: push
            inputs: { stage: { type: choice } }
            jobs:
              build:
                runs-onn: linux
                run: echo '${{ inputs.stage }}'
            """, "application/yaml");

        Assert.Equal((422, "jobs.build.runs-onn"), (answer.Status, (string)answer.Json!["field"]!));
        Assert.Equal(
            [
                "jobs.build.runs-onn: line 6: not supported; did you mean runs-on?",
                "jobs.build.run: line 7: ${{ }} is not replaced within single quotes, where a shell expands no variable; write double quotes, or $INPUT_STAGE",
            ],
            answer.Json["problems"]!.AsArray().Select(problem => $"{problem!["field"]}: {problem["message"]}"));
    }

    [Theory]
    [InlineData("name: n\non: push\ninputs:\n  s: { type: choice }\njobs: {}", 422, "inputs.s.options", "line 4: is required: the values of the choice")]
    [InlineData("name: [", 422, "", "line 2: is not readable YAML: column 1: ")]
    [InlineData("- a", 422, "", "must be a mapping with name, on and jobs, not a list")]
    [InlineData(" \n", 400, null, "the body is empty")]
    public async Task A_body_that_is_no_sound_file_is_refused(string text, int status, string? field, string error)
    {
        var answer = await PostAsync("/api/workflows", text, "application/yaml");

        Assert.Equal((status, field), (answer.Status, (string?)answer.Json!["field"]));
        Assert.Contains(error, (string)answer.Json["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_too_long_is_refused() =>
        Assert.Equal(413, (await PostAsync("/api/workflows", new string('#', 1_100_000), "application/yaml")).Status);

    [Fact]
    public async Task A_json_job_needs_no_status_and_no_empty_lists()
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"A","command":"x","required_labels":["{{Label}}"]}]}""");

        Assert.Equal((201, "queued", "[]"), (answer.Status, (string)answer.Json!["jobs"]![0]!["status"]!, answer.Json["jobs"]![0]!["depends_on"]!.ToJsonString()));
    }

    [Fact]
    public async Task A_json_job_has_conditions_limits_and_rules_of_retries()
    {
        var id = await RunningAsync(
            Job("a"),
            Job("b", "a", more: ""","when":"failure","priority":5,"timeouts":{"attempt_ms":60000},"retry_policy":{"max_retries":3,"jitter":0.5,"retry_on":[75]}"""),
            Job("c", "a", more: ""","when":"needs.a.result == 'success'" """),
            Job("d", "c", more: ""","optional":true,"when":"always" """));

        Assert.Equal(200, await FailAsync((await MustClaimAsync()).Lease, retryable: false));
        var (job, lease) = await MustClaimAsync();
        Assert.Equal("b", job);
        Assert.Equal(200, await FailAsync(lease, error: "exit code 1: "));
        Assert.Equal(200, await FailAsync((await MustClaimAsync()).Lease, retryable: false));

        Assert.Equal("a=failure b=failure c=skipped d=failure", await StatusesAsync(id));
    }

    [Theory]
    [InlineData(""","when":"sometimes" """, "jobs.a.when")]
    [InlineData(""","when":5""", "jobs.a.when")]
    [InlineData(""","optional":"yes" """, "jobs.a.optional")]
    [InlineData(""","priority":5000""", "jobs.a.priority")]
    [InlineData(""","timeouts":{"attempt_ms":0}""", "jobs.a.timeouts.attempt_ms")]
    [InlineData(""","timeouts":{"attempt":5}""", "jobs.a.timeouts.attempt")]
    [InlineData(""","retry_policy":{"max_retries":1,"jitter":2}""", "jobs.a.retry_policy.jitter")]
    [InlineData(""","retry_policy":{"max_retries":1,"retry_on":5}""", "jobs.a.retry_policy.retry_on")]
    public async Task A_faulty_rule_of_a_json_job_is_refused_with_its_place(string more, string field)
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Job("a", more: more)}}]}""");

        Assert.Equal((422, field), (answer.Status, (string)answer.Json!["field"]!));
    }

    [Fact]
    public async Task A_limit_of_runs_is_that_of_the_workflow()
    {
        Assert.Equal(201, (await PostAsync("/api/workflows", """{"name":"n","trigger":"t","jobs":[],"timeouts":{"run_ms":5000}}""")).Status);
        Assert.Equal("timeouts.run_ms", (string)(await PostAsync("/api/workflows", """{"name":"n","trigger":"t","jobs":[],"timeouts":{"run_ms":-1}}""")).Json!["field"]!);
    }
}
