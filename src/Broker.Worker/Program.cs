using System.Collections;
using System.Runtime.InteropServices;
using Broker.Worker;

var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "", StringComparer.Ordinal);
var parsed = WorkerOptions.Parse(args, variables.GetValueOrDefault);
if (parsed.HelpAsked)
{
    Console.Out.WriteLine(WorkerOptions.Help);
    return 0;
}

if (parsed.VersionAsked)
{
    Console.Out.WriteLine(typeof(WorkerOptions).Assembly.GetName().Version?.ToString(3));
    return 0;
}

if (parsed.Problems.Count > 0) return Refuse(parsed.Problems);
var options = parsed.Options;
var account = options.RunAs is null ? null : Account.Find(options.RunAs);
if (options.RunAs is not null && account is null) return Refuse([$"--run-as: there is no user {options.RunAs}"]);

try
{
    OwnProcess.Close(options.ApiKey);
}
catch (IOException failed)
{
    return Refuse([failed.Message]);
}

using var stopping = new CancellationTokenSource();
using var hurry = new CancellationTokenSource();
var signals = Signals.ThatEnd().Select(signal => PosixSignalRegistration.Create(signal, Stop)).ToList();

Signals.KeepBrokenPipesFromJobs();

var log = new WorkerLog(Console.Out);
if (options.Warning is { } warning) log.Line($"warning: {warning}");
var timings = new WorkerTimings();
using var client = new BrokerClient(options, timings);
using var descendants = Descendants.AdoptAll();
var launcher = new JobLauncher(new EnvironmentPolicy(options, variables, account), options.Workspace, descendants);
using var worker = new WorkerLoop(client, launcher, options, timings, log);
await worker.RunAsync(stopping.Token, hurry.Token);
signals.ForEach(signal => signal.Dispose());
return 0;

// The first signal starts the grace time, a second one ends it.
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    (stopping.IsCancellationRequested ? hurry : stopping).Cancel();
}

static int Refuse(IReadOnlyList<string> problems)
{
    foreach (var problem in problems) Console.Error.WriteLine($"broker-worker: {problem}");
    return 2;
}
