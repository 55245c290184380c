using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Core.Steps;

namespace Broker.Storage.Tables;

/// <summary>Failures as the tables keep them: JSON, so that any text fits, NUL too.</summary>
internal static class StoredError
{
    private static readonly JsonSerializerOptions Short = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static string? Write(StepError? error) => error is null ? null : JsonSerializer.Serialize(error, Short);

    public static StepError? Read(string? stored) => stored is null ? null : JsonSerializer.Deserialize<StepError>(stored);
}
