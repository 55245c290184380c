using Broker.Core.Json;

namespace Broker.Api.JobsDialect;

/// <summary>Ids of workflows, jobs and workers.</summary>
internal static class JobIds
{
    /// <summary>Longest id or label (characters).</summary>
    public const int MaxLength = Core.Definitions.DefinitionReader.MaxNameLength;

    /// <summary>Whether the store may hold that id, <c>WORKFLOW~INSTANCE</c> included. Any other id is unknown without a look-up.</summary>
    public static bool MayExist(string id) => id.Length is > 0 and <= (2 * MaxLength) + 1 && StorableText.Fits(id);
}
