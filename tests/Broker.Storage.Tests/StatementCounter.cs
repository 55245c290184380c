using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Broker.Storage.Tests;

/// <summary>Counts the statements that EF executes for what is awaited since, and not those of tests beside it.</summary>
internal sealed class StatementCounter : IDisposable
{
    private static readonly AsyncLocal<StatementCounter?> Current = new();

    private int count;

    public StatementCounter() => Current.Value = this;

    public int Count => Volatile.Read(ref count);

    public void Dispose() => Current.Value = null;

    // Before the first statement: EF remembers for a second that there is no listener.
    [ModuleInitializer]
    internal static void Listen() => DiagnosticListener.AllListeners.Subscribe(new Observer<DiagnosticListener>(listener =>
    {
        if (listener.Name != DbLoggerCategory.Name) return;
        listener.Subscribe(new Observer<KeyValuePair<string, object?>>(told =>
        {
            if (told.Key == RelationalEventId.CommandExecuting.Name && Current.Value is { } counter) Interlocked.Increment(ref counter.count);
        }));
    }));

    private sealed class Observer<T>(Action<T> next) : IObserver<T>
    {
        public void OnNext(T value) => next(value);

        public void OnCompleted()
        {
            // Nothing to give back: it listens until the program ends.
        }

        public void OnError(Exception error)
        {
            // Listeners report none.
        }
    }
}
