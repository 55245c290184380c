using Broker.Api.BrokerDialect;
using Broker.Api.HandlersDialect;
using Broker.Api.InstancesDialect;
using Broker.Api.JobsDialect;
using Broker.Operations;
using Microsoft.AspNetCore.Http.Metadata;

namespace Broker.Api;

/// <summary>Refusals from outside the dialects, in the form of the dialect that the route belongs to.</summary>
internal static class DialectErrors
{
    public static Task SendAsync(HttpContext http, int status, string message)
    {
        var metadata = http.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<HandlersMount>() is { } mount) return HandlersAnswer.ErrorAsync(http, mount, status, message);
        return metadata?.GetMetadata<ITagsMetadata>()?.Tags is not [var tag, ..] ? ProblemAnswer.SendAsync(http, status, message) : tag switch
        {
            BrokerDialectApi.Tag => Answers.Fail(http, status, message),
            JobsDialectApi.Tag => JobsErrors.SendAsync(http.Response, status, message),
            InstancesDialectApi.Tag => InstanceError.Refused(status, message).SendAsync(http),
            _ => ProblemAnswer.SendAsync(http, status, message),
        };
    }
}
