using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Parameters that several routes take.</summary>
internal static class PageParameters
{
    public static readonly QueryParameter Limit = new("limit", $"Most items; default {Limits.UsualPage}.") { Range = (1, Limits.LargestPage) };

    public static readonly QueryParameter Cursor = new("cursor", "The `next` of the page before, with the same filter and order.");

    public static readonly QueryParameter Run = new("run", "Number of the run, from 0; default: the instance's newest run.") { Range = (0, int.MaxValue) };
}
