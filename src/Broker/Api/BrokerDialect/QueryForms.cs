using System.ComponentModel;
using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Broker.Api.BrokerDialect;

/// <summary>
/// The query parameters of each route, for the OpenAPI document: the framework derives them from a handler's signature, and ours read
/// the query themselves. So the signatures stand here, as delegates.
/// </summary>
internal static class QueryForms
{
    private const string WorkerText = "Id that POST /worker/register answered with.";
    private const string WaitText = "Extension: seconds (0 to 60) to hold an idle claim until a step is ready.";
    private const string LabelsText = "Extension: comma list; steps with required_labels are handed out only to claims that carry them all.";
    private const string ClaimIdText =
        "Extension: name of this claim, 1 to 200 characters, a new one for each new claim. Sent again with the same name, it gets the same leases again.";

    private const string ExtrasText = "Extension: true adds version, lease_id, lease_secs, attempt and payload.context to assignments.";

    public static QueryForm None { get; } = QueryForm.Of<Action>();

    public static QueryForm Worker { get; } = QueryForm.Of<WorkerForm>();

    public static QueryForm Claim { get; } = QueryForm.Of<ClaimForm>();

    public static QueryForm Report { get; } = QueryForm.Of<ReportForm>();

    public static QueryForm Repository { get; } = QueryForm.Of<RepositoryForm>();

    private delegate void WorkerForm([FromQuery(Name = "worker_id"), Description(WorkerText)] string workerId);

    private delegate void ClaimForm(
        [FromQuery(Name = "worker_id"), Description(WorkerText)] string workerId,
        [FromQuery(Name = "wait"), Description(WaitText)] double? wait,
        [FromQuery(Name = "count"), Description("Extension: claim up to that many (1 to 1000); the answer is an array, never 204.")] int? count,
        [FromQuery(Name = "claim_id"), Description(ClaimIdText)] string? claimId,
        [FromQuery(Name = "labels"), Description(LabelsText)] string? labels,
        [FromQuery(Name = "extras"), Description(ExtrasText)] bool? extras);

    private delegate void ReportForm(
        [FromQuery(Name = "worker_id"), Description(WorkerText)] string workerId,
        [FromQuery(Name = "claim"), Description("Extension: claim up to that many (1 to 1000) after the reports; the answer holds both.")] int? claim,
        [FromQuery(Name = "wait"), Description(WaitText)] double? wait,
        [FromQuery(Name = "claim_id"), Description(ClaimIdText)] string? claimId,
        [FromQuery(Name = "labels"), Description(LabelsText)] string? labels,
        [FromQuery(Name = "extras"), Description(ExtrasText)] bool? extras);

    private delegate void RepositoryForm(
        [FromQuery(Name = "name"), Description("One repository by name; the others are ignored.")] string? name,
        [FromQuery(Name = "page"), Description("Page number when listing, from 1.")] int? page,
        [FromQuery(Name = "page_size"), Description("Entries a page, 1 to 1000; 50 by default.")] int? pageSize);
}

/// <summary>Description of a route for the OpenAPI document: a method, and its parameters.</summary>
internal sealed record QueryForm(object[] Metadata)
{
    public static QueryForm Of<TDelegate>()
        where TDelegate : Delegate
    {
        var signature = typeof(TDelegate).GetMethod(nameof(Action.Invoke))!;
        return new([signature, .. signature.GetParameters().Select(p => new Parameter(p))]);
    }

    private sealed class Parameter(ParameterInfo parameter) : IParameterBindingMetadata
    {
        public string Name => parameter.GetCustomAttribute<FromQueryAttribute>()?.Name ?? parameter.Name!;

        public bool HasTryParse => parameter.ParameterType != typeof(string);

        public bool HasBindAsync => false;

        public ParameterInfo ParameterInfo => parameter;

        public bool IsOptional => new NullabilityInfoContext().Create(parameter).ReadState is NullabilityState.Nullable;
    }
}
