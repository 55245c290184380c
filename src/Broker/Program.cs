using Broker.Api;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Settings;

// The program's own folder, wherever it is started from: appsettings.json lies there.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

var read = SettingsReader.Read(builder.Configuration);
if (read.Message is { } wrong)
{
    Console.Error.WriteLine(wrong);
    return 1;
}

var settings = read.Settings;
if (args is [HealthCheck.Argument]) return await HealthCheck.RunAsync(settings);

builder.AddStructuredLogs();
builder.ListenAsSet(settings);
builder.Services.AddSingleton(settings);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddBrokerStorage(settings);
builder.Services.AddApiDocument();

var app = builder.Build();

app.UseOperations();
app.MapDialects(settings);
app.MapProbes();
app.MapApiDocument();

app.AnnounceAddress();
await app.RunAsync();
return 0;
