using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Parameters that several routes take.</summary>
internal static class PageParameters
{
    public static readonly QueryParameter Limit = new("limit", $"Most items; default {Limits.UsualPage}.", Limits.LargestPage) { Least = 1 };

    public static readonly QueryParameter Cursor = QueryParameter.Text("cursor", "The `next` or `prev` of another page, with the same filter and order.");

    public static readonly QueryParameter Run = new("run", "Number of the run, from 0; default: the instance's newest run.");
}
