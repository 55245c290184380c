using System.Globalization;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

/// <summary>How a result is shown (handlers contract 9).</summary>
internal enum ResultForm
{
    /// <summary>The value itself; with a stop event of the workflow's own, the object of its fields.</summary>
    Raw,

    /// <summary>The stop event that carries it.</summary>
    Envelope,
}

/// <summary>The handler object: always all nine keys, for clients fail to read one with fewer (handlers contract 3).</summary>
internal static class HandlersAnswers
{
    public static Task SendAsync(HttpResponse response, int status, RunView run, ResultForm form) =>
        JsonAnswer.SendAsync(response, status, (Run: run, Form: form), static (json, answer) => Write(json, answer.Run, answer.Form));

    public static void Write(Utf8JsonWriter json, RunView run, ResultForm form)
    {
        WriteHead(json, run.Ref);
        if (run is { Status: RunStatus.Failed, Error: { } error }) json.WriteString("error", error.Message);
        else json.WriteNull("error");
        WriteResult(json, run, form);
        WriteTail(json, HandlersStatuses.Of(run.Status), run.QueuedAt, run.UpdatedAt, run.EndedAt);
    }

    /// <summary>A run as it was when it was created, whatever has become of it (handlers contract 5.2).</summary>
    public static void WriteStarted(Utf8JsonWriter json, RunRef run, DateTimeOffset at)
    {
        WriteHead(json, run);
        json.WriteNull("error");
        json.WriteNull("result");
        WriteTail(json, HandlersStatuses.Running, at, at, null);
    }

    /// <summary>Six fractional digits and +00:00: older Pythons read no other form.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    private static void WriteHead(Utf8JsonWriter json, RunRef run)
    {
        json.WriteStartObject();
        json.WriteString("handler_id", run.InstanceId);
        json.WriteString("workflow_name", run.Workflow);
        json.WriteString("run_id", run.RunUid);
    }

    private static void WriteResult(Utf8JsonWriter json, RunView run, ResultForm form)
    {
        json.WritePropertyName("result");
        if (run.Status is not RunStatus.Succeeded) json.WriteNullValue();
        else if (form is ResultForm.Raw) json.WriteRaw(run.ResultJson);
        else StreamEnvelope.Completed(run).Write(json, includeQualifiedName: true);
    }

    private static void WriteTail(Utf8JsonWriter json, string status, DateTimeOffset started, DateTimeOffset updated, DateTimeOffset? ended)
    {
        json.WriteString("status", status);
        json.WriteString("started_at", Time(started));
        json.WriteString("updated_at", Time(updated));
        if (ended is { } at) json.WriteString("completed_at", Time(at));
        else json.WriteNull("completed_at");
        json.WriteEndObject();
    }
}
