namespace Broker.Operators;

/// <summary>A kind of problem.</summary>
/// <param name="Word">Stable word, for programs.</param>
/// <param name="Status">HTTP status that it comes with.</param>
/// <param name="Meaning">The fault, for people.</param>
public sealed record ProblemCode(string Word, int Status, string Meaning);

/// <summary>Codes of problem details: those of the API for operators, and those of routes that belong to no dialect.</summary>
public static class ProblemCodes
{
    private const string TypePrefix = "urn:broker:problem:";

    /// <summary>All codes by status. The first of a status stands for refusals that name none.</summary>
    public static IReadOnlyList<ProblemCode> All { get; } =
    [
        new("bad_request", 400, "The request cannot be read."),
        new("cursor_mismatch", 400, "The cursor belongs to another filter or order."),
        new("invalid_header", 400, "A header has a value that it does not take."),
        new("invalid_json", 400, "The body is empty, no JSON, or nested too deep."),
        new("invalid_parameter", 400, "A parameter of the query has a value that it does not take."),
        new("invalid_where", 400, "The `where` expression cannot be read; `column` says where."),
        new("unknown_parameter", 400, "The route takes no parameter of this name."),
        new("unauthorized", 401, "The request has no API key, or one that is not known."),
        new("forbidden", 403, "The key, the host name or the web page may not do this."),
        new("missing_scope", 403, "The key lacks a further scope that this request takes."),
        new("not_found", 404, "The path, or the thing that it names, does not exist, or the key may not know it."),
        new("method_not_allowed", 405, "The path takes other methods: see `Allow`."),
        new("timeout", 408, "The body did not arrive in time."),
        new("conflict", 409, "The stored state does not allow the request."),
        new("already_exists", 409, "An instance of this id exists."),
        new("from_file", 409, "The workflow comes from the folder of workflow files: change its file there."),
        new("from_definition", 409, "The schedule belongs to the definition of a workflow: change it there."),
        new("not_allowed", 409, "The status of the run, in `run_status`, does not allow the command."),
        new("changed", 409, "More than 1 % and 10 of the runs differ from those that were confirmed."),
        new("expired", 409, "The token of the trial is over: try the action again."),
        new("other_key", 409, "Another key tried the action."),
        new("wrong_token", 409, "This is not the token of the trial."),
        new("other_run", 409, "The newest run has another number than `if_run` names."),
        new("starts_paused", 409, "An operator has paused the starts of the workflow."),
        new("withdrawn", 409, "The file of the version is gone: it starts no runs."),
        new("too_large", 413, "The body is larger than the limit."),
        new("unsupported_media_type", 415, "The content type or the content encoding of the body is not taken."),
        new("invalid_body", 422, "A member of the body is not known, or has a value that it does not take; `errors` lists all."),
        new("invalid_event", 422, "The value does not fit the schema of the event; `errors` lists all."),
        new("invalid_inputs", 422, "The inputs do not fit the definition; `errors` lists all."),
        new("invalid_tags", 422, "The tags are no object of strings and numbers, or there are too many."),
        new("invalid_workflow", 422, "The workflow file has faults; `errors` lists all, with their lines."),
        new("key_reused", 422, "The `Idempotency-Key` was used for another request."),
        new("too_many_requests", 429, "A limit of requests or streams is reached: see `Retry-After`."),
        new("backlog_full", 429, "Too many runs of the workflow wait for workers."),
        new("internal_error", 500, "The broker failed; its log has the rest under `request_id`."),
        new("unavailable", 503, "The broker or its database cannot answer now: see `Retry-After`."),
    ];

    /// <summary>URI of a kind of problem.</summary>
    public static string TypeOf(string code) => TypePrefix + code;

    /// <summary>Code of a refusal that names none.</summary>
    public static string Of(int status) => (All.FirstOrDefault(code => code.Status == status) ?? All[0]).Word;
}

/// <summary>Code of a problem.</summary>
public sealed class ProblemWordsAttribute() : WordsAttribute([.. ProblemCodes.All.Select(code => code.Word)]);
