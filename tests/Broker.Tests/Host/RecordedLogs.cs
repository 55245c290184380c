using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Broker.Tests.Host;

/// <summary>Keeps log lines with their values, for tests that ask what was written.</summary>
internal sealed class RecordedLogs : ILoggerProvider
{
    private readonly ConcurrentQueue<RecordedLine> lines = [];

    public IReadOnlyCollection<RecordedLine> Lines => lines;

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void Dispose()
    {
    }

    internal sealed record RecordedLine(string Category, LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Values);

    private sealed class Recorder(RecordedLogs owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state as IEnumerable<KeyValuePair<string, object?>> ?? [];
            owner.lines.Enqueue(new(category, logLevel, formatter(state, exception), values.ToDictionary(pair => pair.Key, pair => pair.Value)));
        }
    }
}
