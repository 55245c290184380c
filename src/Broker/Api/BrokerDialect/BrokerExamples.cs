namespace Broker.Api.BrokerDialect;

/// <summary>One example for each form, under the form's name.</summary>
internal static class BrokerExamples
{
    public const string PolicySchema = """{"name": "retry", "config": {"max_retries": 4, "wait": 0.5}}""";

    public const string StepSchema =
        """
        {"name": "step0", "successors": {"default": ["step1"], "reject": ["step2"]}, "predecessors": [], "or_groups": {},
         "policies": [{"name": "timeout", "config": {"seconds": 20}}]}
        """;

    public const string WorkflowSchema =
        """
        {"workflow_id": "invoice-check", "version": "3",
         "steps": {
           "step0": {"name": "step0", "successors": {"default": ["step2"]}, "predecessors": [], "or_groups": {},
                     "policies": [{"name": "retry", "config": {"max_retries": 4, "wait": 0.5}}]},
           "step1": {"name": "step1", "successors": {"default": ["step2"], "reject": ["step3"]}, "predecessors": [], "or_groups": {}, "policies": []},
           "step2": {"name": "step2", "successors": {}, "predecessors": ["step0", "step1"], "or_groups": {"source": ["step0", "step1"]}, "policies": []},
           "step3": {"name": "step3", "successors": {}, "predecessors": ["step1"], "or_groups": {}, "policies": []}},
         "outputs": ["step2", "step3"], "policies": []}
        """;

    public const string RepositoryRegistration = RepositoryInfo;

    public const string RepositoryInfo =
        """
        {"name": "invoices", "url": "https://git.example.com/invoices.git", "workflows": ["invoices.flows:check"],
         "credentials": {"username": "builder", "token": "<token>"}}
        """;

    public const string RepositoryWorkflow = """{"repository": "invoices", "workflow": "invoices.flows:check"}""";

    public const string LastTask =
        """{"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1", "success": true}""";

    public const string WorkerInfo =
        """
        {"worker_id": "w-81", "connected_at": 1769000000.25, "last_seen": 1769000042.5,
         "last_task": {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1", "success": true}}
        """;

    public const string Dispatch =
        """
        {"workflow": {"workflow_id": "greet", "version": "1", "outputs": ["step0"], "policies": [],
          "steps": {"step0": {"name": "step0", "successors": {}, "predecessors": [], "or_groups": {}, "policies": []}}},
         "inputs": {"customer": 12}}
        """;

    public const string StepPayload = """{"workflow_inputs": {"customer": 12}, "results": {"step1": {"ok": false, "why": ["late"]}}}""";

    public const string StepAssignment =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step3",
         "payload": {"workflow_inputs": {"customer": 12}, "results": {"step1": {"ok": false, "why": ["late"]}}},
         "assigned_at": 1769000000.25, "expires_at": 1769000060.25}
        """;

    public const string StepEvent = """{"type": "Progress", "value": {"percent": 40}}""";

    public const string StepLogLine = """{"level": "info", "message": "12 pages read", "category": "workflow", "data": {"pages": 12}}""";

    public const string StepOutcome =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1",
         "state": "SUCCEEDED", "result": {"ok": false, "why": ["late"]}}
        """;

    public const string StepVerdict =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1",
         "accepted": true, "verdict": "accepted"}
        """;

    public const string ReportsAndClaims =
        """
        {"results": [{"workflow_id": "greet", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step0", "accepted": true, "verdict": "accepted"}],
         "assignments": []}
        """;

    public const string HeldStep =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1",
         "lease_id": "0f0a2b3c-4d5e-8f60-8a1b-2c3d4e5f6071"}
        """;

    public const string HeldStepVerdict =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1",
         "renewed": true, "verdict": "renewed", "paused": false}
        """;

    public const string StepPublication =
        """
        {"workflow_id": "invoice-check", "instance_id": "7c0e6a3f5b2d4c1e8f9a0b1c2d3e4f50", "step_name": "step1",
         "events": [{"type": "Progress", "value": {"percent": 40}}]}
        """;

    public const string StatusInfo = """{"status": "ok"}""";

    public const string RequestProblem = """{"path": "workflow.steps.step1.predecessors", "message": "names the step 'step9', which does not exist"}""";

    public const string RequestRefused =
        """
        {"detail": "workflow.steps.step1.predecessors: names the step 'step9', which does not exist",
         "problems": [{"path": "workflow.steps.step1.predecessors", "message": "names the step 'step9', which does not exist"}]}
        """;
}
