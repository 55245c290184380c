namespace Broker.Storage.Tables;

/// <summary>Bytes of log lines of one job in one run (<see cref="LogSizeRow.NoRun"/>: of no run).</summary>
internal readonly record struct LogSize(long RunId, string Workflow, string Step, long Bytes);
