using System.Runtime.InteropServices;
using Broker.Worker;

var parsed = WorkerOptions.Parse(args, Environment.GetEnvironmentVariable);
if (parsed.HelpAsked)
{
    Console.Out.WriteLine(WorkerOptions.Help);
    return 0;
}

if (parsed.Problems.Count > 0)
{
    foreach (string problem in parsed.Problems)
        Console.Error.WriteLine($"broker-worker: {problem}");
    return 2;
}

using var stopping = new CancellationTokenSource();
using var hurry = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var timings = new WorkerTimings();
using var client = new BrokerClient(parsed.Options, timings);
using var worker = new WorkerLoop(client, parsed.Options, timings, new WorkerLog(Console.Out));
await worker.RunAsync(stopping.Token, hurry.Token);
return 0;

// The first signal starts the grace time, a second one ends it.
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    (stopping.IsCancellationRequested ? hurry : stopping).Cancel();
}
