using Broker.Core.Steps;

namespace Broker.Storage.Tables;

/// <summary>Failures as the tables keep them: JSON, so that any text fits, NUL too.</summary>
internal static class StoredError
{
    public static string? Write(StepError? error) => error is null ? null : System.Text.Json.JsonSerializer.Serialize(error);

    public static StepError? Read(string? stored) => stored is null ? null : System.Text.Json.JsonSerializer.Deserialize<StepError>(stored);
}
